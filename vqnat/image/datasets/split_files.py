"""Images on disk: for each split one file of bytes, mapped into memory, and a small JSON that describes it.

``SPLIT.bin`` holds N images of H x W pixels, each pixel red, green, blue in one byte; ``SPLIT.json`` says N, H, W
and the checksum.
"""

import hashlib
import json
import os
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from vqnat.errors import UserError
from vqnat.results import sha256, write_json

SPLITS = ("train", "valid", "test")
FORMAT = "vqnat images 1"
MAX_HASHED = 1 << 30  # bytes; of a larger file only the size is checked when it is opened


def write_split(folder: Path, split: str, images: Iterable[np.ndarray], about: dict) -> int:
    """Write one split; neither file is ever there half-written.

    Args:
        folder: made as needed.
        split: its name.
        images: each (H, W, 3) uint8, all of one size.
        about: what else the JSON shall say.

    Returns:
        the number of images.

    Raises:
        UserError: there is no image.
    """
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{split}.bin"
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    digest, count, shape = hashlib.sha256(), 0, ()
    try:
        with temporary.open("wb") as file:
            for image in images:
                if count and image.shape != shape:
                    raise ValueError(f"image {count} of {split} is {image.shape}, the others {shape}")
                shape = image.shape
                data = np.ascontiguousarray(image).tobytes()
                digest.update(data)
                file.write(data)
                count += 1
        if count == 0:
            raise UserError(f"{folder}: no image for the split {split}")
        (folder / f"{split}.json").unlink(missing_ok=True)
        os.replace(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)
    header = {"format": FORMAT, "count": count, "shape": list(shape), "sha256": digest.hexdigest()}
    write_json(folder / f"{split}.json", header | about)
    return count


def read_header(folder: Path, split: str) -> dict:
    """The JSON of a split.

    Raises:
        UserError: it is missing or is no such file.
    """
    path = folder / f"{split}.json"
    if not folder.is_dir():
        raise UserError(f"{folder}: no such folder")
    if not path.is_file():
        raise UserError(f"{path}: no such file; make the data with a script of data-prep")
    try:
        header = json.loads(path.read_text(encoding="utf-8"))
        valid = header["format"] == FORMAT and header["count"] > 0 and isinstance(header["sha256"], str)
        height, width, channels = header["shape"]
        valid = valid and height > 0 and width > 0 and channels == 3
    except (ValueError, KeyError, TypeError):
        valid = False
    if not valid:
        raise UserError(f"{path}: not the description of an image file ({FORMAT}); make the data again")
    return header


def open_split(folder: Path, split: str) -> np.ndarray:
    """The images (N, H, W, 3) uint8 of a split, mapped and not read.

    Raises:
        UserError: a file is missing, empty, of another size than its description, or has another checksum.
    """
    header = read_header(folder, split)
    path = folder / f"{split}.bin"
    shape = (header["count"], *header["shape"])
    wanted = int(np.prod(shape))
    if not path.is_file():
        raise UserError(f"{path}: no such file, though {split}.json is there; make the data again")
    size = path.stat().st_size
    if size != wanted:
        what = "empty" if size == 0 else "truncated" if size < wanted else "too long"
        raise UserError(f"{path}: {what}: {size} bytes, {split}.json says {wanted}; make the data again")
    if size <= MAX_HASHED and sha256(path) != header["sha256"]:
        raise UserError(f"{path}: damaged: its checksum is not the one in {split}.json; make the data again")
    return np.memmap(path, np.uint8, "r", shape=shape)
