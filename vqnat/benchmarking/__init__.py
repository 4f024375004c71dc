"""Benchmarks: translation systems measured side by side in one process.

One file per benchmark, each with the options of its script, its measuring and its terminal table:

    latency.py          ms per sentence, tokens per second, peak memory, time by phase
    training_speed.py   optimizer steps of fairseq's trainer
    codebook_step.py    one codebook step; ``codebook_systems`` are the competitors, ``codebook_names`` the JSON's keys
    precisions.py       BLEU and chrF of one model in lower precisions
    server_load.py      requests per second and latency of the HTTP server

They share ``system.py`` (the interface of a system that translates), ``harness/`` (which knows systems by that
interface only), ``engines/`` (fairseq, CTranslate2, onnxruntime behind it) and ``reports/`` (tables and plots from the
JSON). A sentence goes ``harness.sentences`` -> ``Batch`` -> ``System.prepare`` -> timed ``System.translate`` ->
``harness.records`` -> ``reports``.
"""
