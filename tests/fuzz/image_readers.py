"""Readers of pictures, archives and prepared images."""

import io
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from fuzz.reader import reader
from fuzz.values import as_json, changed


def picture_seeds() -> list[bytes]:
    from PIL import Image

    image = Image.fromarray(np.arange(7 * 5 * 3, dtype=np.uint8).reshape(7, 5, 3))
    found = []
    for kind in ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "PPM"):
        file = io.BytesIO()
        image.save(file, kind)
        found.append(file.getvalue())
    return found


@reader("picture", seeds=picture_seeds)
def picture(folder: Path) -> Callable:
    from vqnat.image.datasets.raw_images import Pictures

    path = folder / "0.png"
    path.touch()
    pictures = Pictures(folder)

    def read(content: bytes) -> None:
        path.write_bytes(content)
        assert pictures.read("0.png", 8).shape == (8, 8, 3)

    return read


def archive_seeds() -> list[bytes]:
    png = picture_seeds()[0]
    zipped, tarred = io.BytesIO(), io.BytesIO()
    with zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("../a.png", png)
        archive.writestr("b.png", png)
    with tarfile.open(fileobj=tarred, mode="w") as tar:
        for name in ("a.png", "../b.png"):
            member = tarfile.TarInfo(name)
            member.size = len(png)
            tar.addfile(member, io.BytesIO(png))
    return [b"z" + zipped.getvalue(), b"t" + tarred.getvalue()[:2560]]


@reader("archive of pictures", seeds=archive_seeds)
def archive(folder: Path) -> Callable:
    """The first byte says whether it is a .tar."""
    from vqnat.image.datasets.raw_images import Pictures

    def read(content: bytes) -> None:
        path = folder / ("a.tar" if content[:1] == b"t" else "a.zip")
        path.write_bytes(content[1:])
        pictures = Pictures(path)
        for name in pictures.names[:3]:
            pictures.read(name, 8)

    return read


@reader("CIFAR-10 batch", seeds=lambda: [bytes([3]) * 3073 * 2], longest=6200)
def cifar(folder: Path) -> Callable:
    """With batches of two rows, as real ones have 30 MB."""
    from vqnat.image.datasets import raw_images

    path = folder / "data_batch_1.bin"
    raw_images.CIFAR_ROWS = 2

    def read(content: bytes) -> None:
        path.write_bytes(content)
        assert raw_images.read_cifar_batch(path).shape == (2, 32, 32, 3)

    return read


def split_value() -> dict:
    import hashlib

    right = {"bytes": len(npy_seed()[0]), "sha256": hashlib.sha256(npy_seed()[0]).hexdigest()}
    return {"format": "vqnat images 2", "count": 2, "shape": [2, 2, 3], "source": "x", **right}


@reader("images' description", strategy=lambda: changed(split_value()))
def split(folder: Path) -> Callable:
    from vqnat.image.datasets.split_files import open_split

    (folder / "train.npy").write_bytes(npy_seed()[0])

    def read(value: Any) -> None:
        (folder / "train.json").write_bytes(as_json(value))
        open_split(folder, "train")

    return read


def npy_seed() -> list[bytes]:
    file = io.BytesIO()
    np.save(file, np.zeros((2, 2, 2, 3), np.uint8))
    return [file.getvalue()]


@reader("images' array", seeds=npy_seed)
def npy(folder: Path) -> Callable:
    """With a description that has the right size and checksum."""
    import hashlib

    from vqnat.image.datasets.split_files import open_split

    def read(content: bytes) -> None:
        (folder / "train.npy").write_bytes(content)
        right = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        (folder / "train.json").write_bytes(as_json(split_value() | right))
        open_split(folder, "train")

    return read
