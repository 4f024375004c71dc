"""One command from raw text to a table of quality and latency, behind ``scripts/run_pipeline.py``.

:mod:`.config` reads the YAML (:mod:`.reader`, :mod:`.program_options`), :mod:`.plan` turns it into stages,
:mod:`.scheduler` runs those that are not done (:mod:`.stages` keeps the record), :mod:`.jobs` and :mod:`.children`
start their programs, :mod:`.progress` shows them. :mod:`.training`, :mod:`.translate`, :mod:`.scores` and
:mod:`.latency` are the work of single stages; :mod:`.results` gathers what came out, and :mod:`vqnat.reporting`
renders it.
"""
