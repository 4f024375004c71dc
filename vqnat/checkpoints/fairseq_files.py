"""How fairseq's commands write and read checkpoints with this plug-in: whole, on disk, and checked.

fairseq renames a checkpoint when it is written but does not wait for the disk, copies it to ``checkpoint_last.pt`` in
place, and after a full disk appends to what it has written. With :func:`let_fairseq_write_safely` each file appears
under its name only once it is whole and on disk. A checkpoint is a zip file with a CRC-32 of everything in it, which
torch writes but does not read; :func:`check_archive` does.
"""

import shutil
import zipfile
import zlib
from functools import wraps
from pathlib import Path
from typing import Any

import torch
from fairseq import checkpoint_utils
from fairseq.distributed import utils as distributed_utils
from fairseq.file_io import PathManager
from omegaconf import OmegaConf

from vqnat.errors import UserError
from vqnat.records.atomic import replacing

_PIECE = 1 << 20  # bytes read at once
_ADVICE = "put a whole copy in its place; to let a training begin anew, remove it"


def check_archive(path: Path) -> None:
    """Compare the checksums of everything in a checkpoint.

    A file in torch's format from before 1.6, which has no checksums, passes.

    Raises:
        UserError: the file is truncated or damaged.
        OSError: it cannot be read.
    """
    with open(path, "rb") as file:
        start = file.read(4)
    if len(start) < 4:
        raise UserError(f"{path}: not a readable checkpoint ({'truncated' if start else 'empty'}); {_ADVICE}")
    if start[:2] != b"PK" and not zipfile.is_zipfile(path):  # not even the end is that of a zip file
        return
    try:
        with zipfile.ZipFile(path) as archive:
            for entry in archive.infolist():
                with archive.open(entry) as content:
                    while content.read(_PIECE):
                        pass
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        raise UserError(f"{path}: not a readable checkpoint ({error}); {_ADVICE}") from error


def save(state: Any, path: str | Path) -> None:
    """Write a checkpoint under a temporary name, wait for the disk, and rename it.

    Raises:
        UserError: it cannot be written, for instance on a full disk; what was there before is kept.
    """
    try:
        with replacing(Path(path)) as temporary, open(temporary, "wb") as file:
            torch.save(state, file)  # a file and not its name, or nothing would tell why it could not be written
    except (OSError, RuntimeError) as error:
        # torch's writer stumbles over what it could not write, and raises that.
        cause = error.__context__ if isinstance(error.__context__, OSError) else error
        raise _not_written(path, cause) from error


def copy(source: str | Path, target: str | Path) -> None:
    """Copy a checkpoint as :func:`save` writes one. Raises UserError."""
    try:
        with replacing(Path(target)) as temporary:
            shutil.copyfile(source, temporary)
    except OSError as error:
        raise _not_written(target, error) from error


def let_fairseq_write_safely() -> None:
    """Make fairseq save and copy checkpoints with the functions above; calling it twice is harmless."""
    if getattr(checkpoint_utils.torch_persistent_save, "is_safe", False):
        return
    original = checkpoint_utils.torch_persistent_save

    @wraps(original)
    def torch_persistent_save(state: Any, filename: str, async_write: bool = False) -> None:
        if async_write or "://" in filename:  # not on a file system
            original(state, filename, async_write)
        else:
            save(state, filename)

    class SafePaths(PathManager):
        @staticmethod
        def copy(src_path: str, dst_path: str, overwrite: bool = False) -> bool:
            if "://" in dst_path:
                return bool(PathManager.copy(src_path, dst_path, overwrite))
            copy(src_path, dst_path)
            return True

    torch_persistent_save.is_safe = True  # type: ignore[attr-defined]
    checkpoint_utils.torch_persistent_save = torch_persistent_save
    checkpoint_utils.PathManager = SafePaths


def let_fairseq_send_checkpoints() -> None:
    """Let the first of several processes send the others the checkpoint that it has read; twice is harmless.

    fairseq sends it pickled, its options as OmegaConf's objects, which torch does not load; nobody reads them there.
    """
    original = distributed_utils.broadcast_object
    if getattr(original, "sends_checkpoints", False):
        return

    @wraps(original)
    def broadcast_object(obj: Any, *where: Any, **how: Any) -> Any:
        if isinstance(obj, dict) and OmegaConf.is_config(obj.get("cfg")):
            obj = {**obj, "cfg": None}
        return original(obj, *where, **how)

    torch.serialization.add_safe_globals([distributed_utils._TensorPlaceholder])  # the number of a tensor sent apart
    broadcast_object.sends_checkpoints = True  # type: ignore[attr-defined]
    distributed_utils.broadcast_object = broadcast_object


def _not_written(path: str | Path, error: Exception) -> UserError:
    reason = error.strerror if isinstance(error, OSError) and error.strerror else " ".join(str(error).split())[:200]
    return UserError(
        f"{path}: cannot write ({reason}); earlier checkpoints are kept: fix this and run the same command again"
    )
