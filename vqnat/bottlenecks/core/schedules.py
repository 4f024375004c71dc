"""Schedules: pure functions of the number of optimizer steps, so that resuming and micro-batches change nothing."""

import math


def linear(step: int, start: float, end: float, steps: float) -> float:
    """From ``start`` at step 0 straight to ``end`` at ``steps``, then constant."""
    return start + (end - start) * _progress(step, steps)


def cosine(step: int, start: float, end: float, steps: float) -> float:
    """From ``start`` to ``end`` along half a cosine, then constant."""
    return end + (start - end) * (1 + math.cos(math.pi * _progress(step, steps))) / 2


def exponential(step: int, start: float, end: float, steps: float) -> float:
    """``start`` exp(-step / ``steps``), never below ``end``."""
    return max(start * math.exp(-step / max(steps, 1)), end)


def ramp(step: int, end: float, steps: float) -> float:
    """Exponentially from ``end`` / 100 at step 0 to ``end`` at ``steps``, then constant."""
    return end * math.pow(0.01, 1 - _progress(step, steps))


def _progress(step: int, steps: float) -> float:
    return min(step / steps, 1.0) if steps > 0 else 1.0
