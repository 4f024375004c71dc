"""The stopwatch: one translation in ms, the accelerator synchronized before and after, no garbage collection inside."""

import gc
from collections.abc import Callable
from time import perf_counter
from typing import Any

import torch

from vqnat.benchmarking.system import Batch, System


def timed_translation(system: System, batch: Batch, synchronize: Callable[[], None]) -> tuple[float, list[list[int]]]:
    """Translate one batch without gradients.

    Returns:
        ms from prepared source to target tokens, and these for each sentence.

    Raises:
        RuntimeError: the system did not return one output per sentence.
    """
    prepared = system.prepare(batch)
    with torch.inference_mode():
        elapsed, output = _timed(system.translate, prepared, synchronize)
    if len(output) != len(batch):
        raise RuntimeError(f"system {system.name} returned {len(output)} outputs for {len(batch)} sentences")
    return elapsed, [tokens.tolist() for tokens in output]


def _timed(call: Callable, argument: Any, synchronize: Callable[[], None]) -> tuple[float, Any]:
    # Otherwise one system's garbage might be collected while the next one is timed.
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        synchronize()
        start = perf_counter()
        result = call(argument)
        synchronize()
        return (perf_counter() - start) * 1000, result
    finally:
        if was_enabled:
            gc.enable()
