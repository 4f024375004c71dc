"""What goes wrong for reasons a user can mend, told in one line."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vqnat.errors import UserError


class DistillationError(UserError):
    """A message for the user: names the option or file, the value found and what would be valid."""


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn an ``OSError`` (disk full, quota, no permission) into one line that names ``path``."""
    try:
        yield
    except OSError as error:
        raise DistillationError(
            f"{path}: cannot write: {error.strerror or error}; "
            "finished batches are kept: mend this and run the same command again"
        ) from error
