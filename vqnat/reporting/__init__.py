"""Result files as tables, pictures and pages; nothing here measures.

:mod:`.systems` renders an experiment (quality, latency, samples, codes), :mod:`.seeds` and :mod:`.paper` several runs
of it as one table, :mod:`.scale` what larger ones would take, :mod:`.diagnosis` and :mod:`.diagnosis_plot` a diagnosis,
:mod:`.html_report` an experiment as one HTML page with the pictures of :mod:`.svg_plots`. :mod:`.markdown` keeps the
tables of README and docs up to date, :mod:`.figures` draws their figures; tables and cells themselves are in
:mod:`vqnat.records.tables`.
"""
