"""Files that a command will write."""

import os
from pathlib import Path

from vqnat.errors import UserError


def check_writable(option: str, path: Path | None) -> None:
    """Raise UserError for a path that cannot be written: now, not after minutes of work."""
    if path is None:
        return
    folder = next(parent for parent in path.absolute().parents if parent.exists())
    if path.is_dir() or not folder.is_dir() or not os.access(folder, os.W_OK):
        raise UserError(f"{option} {path}: cannot be written")
