"""The last checkpoint of a training that was killed while writing it."""

import shutil
import zipfile
from pathlib import Path


def repair_last_checkpoint(folder: Path) -> None:
    """Replace a half-written ``checkpoint_last.pt`` with the newest complete checkpoint.

    fairseq writes a checkpoint under another name and renames it, but then copies it to ``checkpoint_last.pt`` in
    place: killed at that moment, it could not start again. A checkpoint is a zip file and ends with its index.
    """
    last = folder / "checkpoint_last.pt"
    if not last.exists() or zipfile.is_zipfile(last):
        return
    others = [path for path in folder.glob("checkpoint*.pt") if path != last and zipfile.is_zipfile(path)]
    last.unlink()
    if others:
        shutil.copyfile(max(others, key=lambda path: path.stat().st_mtime), last)
