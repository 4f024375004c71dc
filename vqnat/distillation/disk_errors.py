"""A full disk gives one line, and nothing that is finished is lost."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vqnat.errors import UserError


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn an ``OSError`` (disk full, quota, no permission) into one line that names ``path``."""
    try:
        yield
    except OSError as error:
        raise UserError(
            f"{path}: cannot write: {error.strerror or error}; "
            "finished batches are kept: fix this and run the same command again"
        ) from error
