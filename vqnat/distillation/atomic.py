"""Files that have their name only when they are whole."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vqnat.distillation.writing import writing


@contextmanager
def replacing(final: Path) -> Iterator[Path]:
    """Yield a temporary path to write; then sync it and call it ``final``, or remove it after an error."""
    partial = final.with_name(f".{final.name}.partial")
    try:
        with writing(final):
            yield partial
            with open(partial, "rb") as file:
                os.fsync(file.fileno())
            os.replace(partial, final)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
