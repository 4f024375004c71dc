"""Where a system spends its time: timers around its parts, in a pass of its own."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import wraps
from time import perf_counter
from typing import Any

from vqnat.benchmarking.harness.clock import timed_translation
from vqnat.benchmarking.harness.device import synchronizer
from vqnat.benchmarking.system import Batch, System

REST = "rest"  # search, bookkeeping, copies: everything outside of the timers


class PhaseTimer:
    """Adds up ms by phase.

    A phase inside another one counts only once, as the inner one, so that all phases together never exceed the total.
    """

    def __init__(self, synchronize: Callable[[], None] = lambda: None) -> None:
        self.ms: dict[str, float] = {}
        self._synchronize = synchronize
        self._inner: list[float] = []  # ms spent in inner phases, for each running phase

    def wrap(self, phase: str, call: Callable) -> Callable:
        """``call``, timed."""
        self.ms.setdefault(phase, 0.0)

        @wraps(call)
        def timed(*args: Any, **kwargs: Any) -> Any:
            self._synchronize()
            self._inner.append(0.0)
            start = perf_counter()
            try:
                return call(*args, **kwargs)
            finally:
                self._synchronize()
                elapsed = (perf_counter() - start) * 1000
                self.ms[phase] += elapsed - self._inner.pop()
                if self._inner:
                    self._inner[-1] += elapsed

        return timed


@contextmanager
def timers(system: System, timer: PhaseTimer) -> Iterator[None]:
    """Put timers around the system's phases for the time of a ``with`` block."""
    undo: list[Callable[[], None]] = []
    try:
        for phase, callables in system.phases().items():
            for owner, name in callables:
                undo.append(_replace(owner, name, timer.wrap(phase, getattr(owner, name))))
        yield
    finally:
        for restore in reversed(undo):
            restore()


def _replace(owner: object, name: str, value: Callable) -> Callable[[], None]:
    own = vars(owner)
    if name in own:
        before = own[name]
        restore = lambda: setattr(owner, name, before)  # noqa: E731
    else:  # a method of the class: visible again once the instance's attribute is gone
        restore = lambda: delattr(owner, name)  # noqa: E731
    setattr(owner, name, value)
    return restore


def measure_phases(system: System, batches: Sequence[Batch], device: str = "cpu") -> dict[str, float]:
    """Translate all batches once with timers on.

    Returns:
        phase -> ms per sentence, then ``rest``. They sum to the total of this pass, which is longer than in
        :func:`~vqnat.benchmarking.harness.rounds.measure` because of the timers and, on an accelerator, because each
        phase waits for the device.
    """
    synchronize = synchronizer(device)
    timer = PhaseTimer(synchronize)
    total = 0.0
    with timers(system, timer):
        timed_translation(system, batches[-1], synchronize)  # fill the caches, which another system has used last
        timer.ms = dict.fromkeys(timer.ms, 0.0)
        for batch in batches:
            total += timed_translation(system, batch, synchronize)[0]
    sentences = sum(len(batch) for batch in batches)
    split = timer.ms | {REST: total - sum(timer.ms.values())}
    return {phase: ms / sentences for phase, ms in split.items()}
