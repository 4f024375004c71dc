"""Milliseconds that mean what they say: with the accelerator's queue drained before and after."""

import gc
from collections.abc import Callable, Sequence
from time import perf_counter
from typing import Any

import torch
from torch import Tensor

from vqnat.benchmarking.system import Batch, System


def synchroniser(device: str) -> Callable[[], None]:
    """Waits until the device has done what it was given; on the CPU that is always so."""
    return torch.cuda.synchronize if device == "cuda" else lambda: None


def timed_translation(system: System, batch: Batch, synchronise: Callable[[], None]) -> tuple[float, Sequence[Tensor]]:
    """Translate one batch without gradients.

    Returns:
        ms from prepared source to target tokens; the output.

    Raises:
        RuntimeError: the system did not return one output per sentence.
    """
    prepared = system.prepare(batch)
    with torch.inference_mode():
        elapsed, output = _timed(system.translate, prepared, synchronise)
    if len(output) != len(batch):
        raise RuntimeError(f"system {system.name} returned {len(output)} outputs for {len(batch)} sentences")
    return elapsed, output


def _timed(call: Callable, argument: Any, synchronise: Callable[[], None]) -> tuple[float, Any]:
    # Garbage of one system must not be collected in the time of the next one.
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        synchronise()
        start = perf_counter()
        result = call(argument)
        synchronise()
        return (perf_counter() - start) * 1000, result
    finally:
        if was_enabled:
            gc.enable()
