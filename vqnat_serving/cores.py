"""How many threads make sense."""

import os

from vqnat_serving.errors import UserError


def usable_cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def check_threads(threads: int, name: str = "threads", least: int = 0) -> None:
    """Raises UserError unless there is a core for each thread; threads that share one wait for each other."""
    cores = usable_cores()
    if not least <= threads <= cores:
        raise UserError(
            f"{name} {threads}: needed {least}{' (all cores)' if not least else ''} to {cores}, the cores here"
        )
