"""The papers' image tables from one command, ``scripts/image_table.py``.

``table_config`` reads the YAML, ``table_stages`` turns its rows into stages for :mod:`vqnat.pipeline`, ``budget``
fits a training into a number of minutes, ``validation_figures`` runs fairseq-validate, ``columns`` names the figures
and ``image_markdown`` renders the table from the results JSON.
"""
