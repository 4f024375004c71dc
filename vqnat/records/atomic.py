"""Files that appear under their name only once they are whole."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path to write to; then flush it to disk and rename it to ``path``.

    The temporary file lies in the same folder, since a rename is atomic only within a file system. An exception
    removes it and leaves ``path`` as it was. Two processes may replace the same file: the last one wins.

    Raises:
        OSError: no space, no permission, no such folder.
    """
    _remove_leftovers(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        yield temporary
        _sync(temporary)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    with contextlib.suppress(OSError):  # some file systems cannot sync a folder
        _sync(path.absolute().parent)


def _sync(path: Path) -> None:
    """Wait until a file, or the entries of a folder, are on disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _remove_leftovers(path: Path) -> None:
    """Remove what processes that were killed have left behind."""
    prefix, suffix = f".{path.name}.", ".tmp"
    for old in path.parent.glob(".*.tmp"):
        pid = old.name.removeprefix(prefix).removesuffix(suffix)
        if old.name.startswith(prefix) and pid.isdecimal() and not _is_running(int(pid)):
            old.unlink(missing_ok=True)


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)  # sends nothing
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
