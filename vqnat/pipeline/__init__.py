"""One command from raw text to a table of quality and latency: the runner behind ``scripts/run_pipeline.py``.

``config`` reads the YAML, ``plan`` turns it into stages, ``scheduler`` runs those that are not done yet,
``children`` starts their programs, ``progress`` shows them; ``results``, ``report`` and ``tables`` write what
came out.
"""
