"""Images on disk: one memory-mapped array per split, and a small JSON file that describes it.

``SPLIT.npy`` holds N images (N, H, W, 3) uint8 and can be read by ``numpy.load``; ``SPLIT.json`` holds the shape, the
file's size and checksum, and where the images come from. Data prepared by version 0.1, raw bytes in ``SPLIT.bin``, is
still read.
"""

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from vqnat.errors import UserError
from vqnat.records.atomic import replacing
from vqnat.records.checksums import sha256
from vqnat.records.results import write_json
from vqnat_serving.json_files import read_object

SPLITS = ("train", "valid", "test")
FORMAT = "vqnat images 2"
SUFFIXES = {FORMAT: "npy", "vqnat images 1": "bin"}
MAX_HASHED = 1 << 30  # bytes; the checksum of a larger file is not verified when it is opened, only its size


def write_split(folder: Path, split: str, images: Iterable[np.ndarray], about: dict) -> int:
    """Write one split; neither of its files is ever visible half-written.

    Args:
        folder: created as needed.
        split: its name.
        images: each (H, W, 3) uint8, all of one size.
        about: further entries of the JSON.

    Returns:
        The number of images.

    Raises:
        UserError: there is no image.
    """
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{split}.npy"
    count, shape = 0, ()
    with replacing(target) as temporary:
        with temporary.open("w+b") as file:
            for image in images:
                if not count:
                    shape = image.shape
                    _write_npy_header(file, (0, *shape))
                elif image.shape != shape:
                    raise ValueError(f"image {count} of {split} is {image.shape}, the others {shape}")
                file.write(np.ascontiguousarray(image, np.uint8).tobytes())
                count += 1
            if count == 0:
                raise UserError(f"{folder}: no image for the split {split}")
            # How many images there are is known only now: numpy pads its header so that N can grow in place.
            file.seek(0)
            _write_npy_header(file, (count, *shape))
            file.seek(0)
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            size = file.seek(0, os.SEEK_END)
        (folder / f"{split}.json").unlink(missing_ok=True)
    header = {"format": FORMAT, "count": count, "shape": list(shape), "bytes": size, "sha256": digest}
    write_json(folder / f"{split}.json", header | about)
    (folder / f"{split}.bin").unlink(missing_ok=True)  # of version 0.1
    return count


def _write_npy_header(file, shape: tuple[int, ...]) -> None:
    header = {"descr": np.lib.format.dtype_to_descr(np.dtype(np.uint8)), "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, header)


def read_header(folder: Path, split: str) -> dict:
    """The JSON of a split.

    Returns:
        ``format``, ``count`` N, ``shape`` [H, W, 3], ``sha256``, ``source``; ``bytes`` unless written by version 0.1.

    Raises:
        UserError: it is missing or is something else.
    """
    path = folder / f"{split}.json"
    if not folder.is_dir():
        raise UserError(f"{folder}: no such folder")
    if not path.is_file():
        raise UserError(f"{path}: no such file; make the data with a script of data-prep")
    try:
        header = read_object(path, "")
        valid = header["format"] in SUFFIXES and header["count"] > 0 and isinstance(header["sha256"], str)
        height, width, channels = header["shape"]
        valid = valid and all(isinstance(n, int) and 0 < n < 1 << 40 for n in (header["count"], height, width))
        valid = valid and channels == 3
        valid = valid and (header["format"] != FORMAT or header["bytes"] > 0)
    except (ValueError, KeyError, TypeError, OSError):  # a UserError among them
        valid = False
    if not valid:
        raise UserError(f"{path}: not the description of an image file ({FORMAT}); make the data again")
    return header


def split_file(folder: Path, split: str) -> Path:
    """The file that holds a split's images; errors as :func:`read_header`."""
    return folder / f"{split}.{SUFFIXES[read_header(folder, split)['format']]}"


def open_split(folder: Path, split: str) -> np.ndarray:
    """The images (N, H, W, 3) uint8 of a split, memory-mapped and not read.

    Raises:
        UserError: a file is missing, empty, or its size or checksum differs from its description.
    """
    header = read_header(folder, split)
    path = split_file(folder, split)
    shape = (header["count"], *header["shape"])
    expected = header.get("bytes", int(np.prod(shape)))
    if not path.is_file():
        raise UserError(f"{path}: no such file, though {split}.json is there; make the data again")
    size = path.stat().st_size
    if size != expected:
        what = "empty" if size == 0 else "truncated" if size < expected else "too long"
        raise UserError(f"{path}: {what}: {size} bytes, {split}.json says {expected}; make the data again")
    if size <= MAX_HASHED and sha256(path) != header["sha256"]:
        raise UserError(f"{path}: damaged: its checksum is not the one in {split}.json; make the data again")
    if path.suffix == ".bin":
        return np.memmap(path, np.uint8, "r", shape=shape)
    try:
        images = np.load(path, mmap_mode="r", allow_pickle=False)
    except Exception as error:  # numpy evaluates the header as a literal
        reason = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
        raise UserError(f"{path}: not a NumPy array ({reason}); make the data again") from None
    if not isinstance(images, np.ndarray) or images.shape != shape or images.dtype != np.uint8:
        found = f"{getattr(images, 'dtype', '')} {getattr(images, 'shape', type(images).__name__)}"
        raise UserError(f"{path}: {found}, {split}.json says uint8 {shape}; make the data again")
    return images
