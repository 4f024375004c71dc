"""One training at a time writes into a ``--save-dir``."""

import errno
import fcntl
import os
import time
from pathlib import Path
from typing import BinaryIO

from vqnat.errors import UserError

NAME = ".training.lock"
PATIENCE = 5.0  # seconds: a training that was killed may take a moment to end

_held: dict[Path, BinaryIO] = {}  # open until this process ends, however it ends


def lock(save_dir: str | Path) -> None:
    """Keep other trainings out of a folder until this process ends; a second call is harmless.

    Raises:
        UserError: another training writes there, or the folder cannot be written.
    """
    path = Path(save_dir).absolute() / NAME
    if path in _held:
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o666), "r+b")
    except OSError as error:
        raise UserError(f"--save-dir {save_dir}: cannot be written ({error.strerror})") from error
    give_up = time.monotonic() + PATIENCE
    while True:
        try:
            # Not flock: its locks would pass to the processes that load data, which outlive a killed training.
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except OSError as error:
            if error.errno not in (errno.EACCES, errno.EAGAIN):
                break  # no locks on this file system: the user must not start a training twice
            if time.monotonic() > give_up:
                file.close()
                message = f"--save-dir {save_dir}: another training writes there; wait for it, or choose another folder"
                raise UserError(message) from error
            time.sleep(0.1)
    _held[path] = file
