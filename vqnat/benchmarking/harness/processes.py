"""Each system in a process of its own, for timing with several threads.

Engines with OpenMP count on threads that wait for work by spinning. Where one process holds the thread pools of many
systems there are more threads than cores; the runtime then lets them sleep, and waking them costs more than the work:
a system may be ten times as slow as alone.
"""

from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from types import TracebackType

from vqnat.benchmarking.harness.clock import timed_translation
from vqnat.benchmarking.harness.device import synchronizer
from vqnat.benchmarking.system import Batch, System
from vqnat.silence import silence_imports

_system: System
_device: str


class OwnProcesses:
    """A process for each system, from ``with`` to its end.

    Args:
        loaders: name -> builds the system; must be picklable.
        device: ``cpu`` or ``cuda``.

    Raises:
        BrokenProcessPool: a process died, for example for lack of memory. Whatever a loader raises.
    """

    def __init__(self, loaders: Mapping[str, Callable[[], System]], device: str) -> None:
        # Spawned, not forked: a fork would have this process's thread pools.
        make = partial(ProcessPoolExecutor, 1, mp_context=get_context("spawn"), initializer=silence_imports)
        self._pools = {name: make() for name in loaders}
        loading = [self._pools[name].submit(_load, load, device) for name, load in loaders.items()]
        for one in loading:
            one.result()

    def timed(self, system: System, batch: Batch) -> tuple[float, list[list[int]]]:
        """ms of a translation by the process of that system, and the tokens of each sentence.

        Raises:
            BrokenProcessPool: the process died.
        """
        return self._pools[system.name].submit(_timed, batch).result()

    def __enter__(self) -> "OwnProcesses":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for pool in self._pools.values():
            pool.shutdown()


def _load(load: Callable[[], System], device: str) -> None:
    global _system, _device
    _system, _device = load(), device


def _timed(batch: Batch) -> tuple[float, list[list[int]]]:
    return timed_translation(_system, batch, synchronizer(_device))
