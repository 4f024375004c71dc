"""Latency and throughput of translation systems, measured side by side in one process.

``harness`` and what it uses know systems by an interface only; ``fairseq_system`` is the one for fairseq's
checkpoints. ``scripts/benchmark_latency.py`` is the command line.
"""
