"""Peak memory of one system, measured in a process of its own, for systems in one process share its memory."""

import gc
import os
import re
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import torch

from vqnat.benchmarking.harness.clock import timed_translation
from vqnat.benchmarking.harness.device import synchronizer
from vqnat.benchmarking.system import Batch, System
from vqnat.silence import silence_imports

STATUS, CLEAR_REFS = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def peak_memory(load: Callable[[], System], batches: Sequence[Batch], device: str) -> dict[str, float | None]:
    """Load a system in a fresh process and translate every batch once.

    Args:
        load: builds the system; must be picklable.
        batches: what it translates.
        device: ``cpu`` or ``cuda``.

    Returns:
        In MiB: ``libraries`` resident before loading, ``loaded`` after it, ``decoding`` the peak during translation
        (None if the kernel cannot tell), ``peak`` of the whole process, and on an accelerator ``device_peak``, the
        most that torch had allocated there.

    Raises:
        BrokenProcessPool: the process died, for example for lack of memory. Whatever ``load`` raises.
    """
    # Spawned, not forked: a fork would start with all memory of this process.
    with ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=silence_imports) as pool:
        return pool.submit(_measure, load, batches, device).result()


def _measure(load: Callable[[], System], batches: Sequence[Batch], device: str) -> dict[str, float | None]:
    libraries = _resident()
    system = load()
    gc.collect()
    loaded, loading_peak = _resident(), _peak()
    can_reset = _reset_peak()
    for batch in batches:
        timed_translation(system, batch, synchronizer(device))
    decoding = _peak()
    figures = {
        "libraries": libraries,
        "loaded": loaded,
        "decoding": decoding if can_reset else None,
        "peak": max(loading_peak, decoding),
    }
    if device == "cuda":
        figures["device_peak"] = torch.cuda.max_memory_allocated() / 2**20
    return figures


def peak_of_call(make: Callable[[], Callable[[], object]], warm: Callable[[], Callable[[], object]]) -> float:
    """Peak MiB of a call in a fresh process, beyond what was resident before it.

    Args:
        make: builds the callable; must be picklable.
        warm: builds a smaller one to call first, so that what libraries allocate at first use is not counted.
    """
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(_measure_call, make, warm).result()


def _measure_call(make: Callable[[], Callable[[], object]], warm: Callable[[], Callable[[], object]]) -> float:
    torch.set_num_threads(1)
    warm()()
    call = make()
    gc.collect()
    _reset_peak()
    before = _resident()
    call()
    return max(0.0, _peak() - before)


def _peak() -> float:
    # getrusage is the last resort: on Linux a process inherits the peak of the one that started it.
    if STATUS.exists():
        return _status("VmHWM")
    import resource

    unit = 1 if sys.platform == "darwin" else 1024  # bytes
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20


def _resident() -> float:
    return _status("VmRSS") if STATUS.exists() else _peak()


def _status(field: str) -> float:
    return int(re.search(rf"^{field}:\s*(\d+) kB", STATUS.read_text(), re.MULTILINE)[1]) / 1024


def _reset_peak() -> bool:
    try:
        fd = os.open(CLEAR_REFS, os.O_WRONLY)
    except OSError:
        return False
    try:
        os.write(fd, b"5")  # proc(5): sets VmHWM to the current size
    except OSError:
        return False
    finally:
        os.close(fd)
    return True
