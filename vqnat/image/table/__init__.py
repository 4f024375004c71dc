"""The papers' image tables from one command: the runner behind ``scripts/image_table.py``.

``config`` reads the YAML, ``plan`` turns its rows into stages for :mod:`vqnat.pipeline`, ``budget`` fits a training
into minutes, ``measure`` asks fairseq-validate, ``rendering`` writes the tables.
"""
