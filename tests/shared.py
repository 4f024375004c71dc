"""What is trained once for all tests, also when several workers (pytest-xdist) run them."""

from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """The folder that ``make`` fills, made by whoever needs it first; the others wait.

    Args:
        factory: pytest's; the workers of one run have their folders side by side.
        name: of the folder, unique among all tests.
        make: called with a new folder.
    """
    base = factory.getbasetemp()
    root = base.parent if base.name.startswith("popen-") else base  # popen-gw0, popen-gw1, ...: xdist's workers
    folder, done = root / name, root / f"{name}.done"
    with FileLock(root / f"{name}.lock"):
        if not done.exists():
            folder.mkdir()
            make(folder)
            done.touch()
    return folder
