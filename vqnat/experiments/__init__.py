"""From raw text to a table of quality and latency: what one configuration file says and the commands that follow.

:mod:`.config` reads the YAML (:mod:`.schema`, :mod:`.program_options`), :mod:`.commands` makes the options of every
program of it, :mod:`.layout` says where their files lie. ``workflow/`` has a rule for each, which Snakemake runs.
:mod:`.translations`, :mod:`.scores`, :mod:`.latency` and :mod:`.last_checkpoint` are the work of single commands,
:mod:`.results` gathers what came out, and :mod:`vqnat.reporting` renders it.
"""
