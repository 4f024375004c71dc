"""Measuring any :class:`vqnat.benchmarking.system.System`, without knowing which engine is behind it.

``sentences`` reads a test set and makes batches; ``rounds`` times all systems on them in turn, with the stopwatch of
``clock``; ``phases`` splits a system's time into parts; ``memory`` takes peak memory in a process of its own;
``latency_statistics`` turns times into figures and ``records`` into JSON. ``device`` sets device and threads.
"""

from vqnat.benchmarking.harness.rounds import Measurement, content, measure

__all__ = ["Measurement", "content", "measure"]
