"""Files and folders that appear under their name only once they are whole."""

import contextlib
import os
import shutil
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


def write_text(path: Path, text: str) -> None:
    """Replace a file by a text in UTF-8. Raises OSError."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


@contextlib.contextmanager
def replacing_folder(path: Path) -> Iterator[Path]:
    """Yield a new temporary folder to fill; then flush its files to disk and give it the name ``path``.

    As :func:`replacing`, but for a folder that is replaced: file systems swap two folders in two steps, so a process
    killed between them leaves no ``path``; the next one puts the old folder back before it begins. Folders above
    ``path`` are created.

    Raises:
        OSError: no space, no permission, or ``path`` is a file.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    kept = path.with_name(f".{path.name}.old")
    if kept.exists() and not path.exists():
        os.replace(kept, path)
    _remove_leftovers(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        temporary.mkdir()
        yield temporary
        for one in (*temporary.rglob("*"), temporary):
            _sync(one)
        if path.exists():
            shutil.rmtree(kept, ignore_errors=True)
            os.replace(path, kept)
        os.replace(temporary, path)
        shutil.rmtree(kept, ignore_errors=True)
    finally:
        if kept.exists() and not path.exists():
            os.replace(kept, path)
        shutil.rmtree(temporary, ignore_errors=True)
    with contextlib.suppress(OSError):
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
            shutil.rmtree(old) if old.is_dir() else old.unlink(missing_ok=True)


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)  # sends nothing
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
