"""Readers of raw images: CIFAR-10's binary batches, and picture files in a folder or archive."""

import io
import tarfile
import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from vqnat.errors import UserError

CIFAR_ROW = 1 + 3 * 32 * 32  # a label, then the red, green and blue plane
CIFAR_ROWS = 10_000
FORMATS = ("JPEG", "PNG", "BMP", "WEBP", "PPM", "GIF", "TIFF")  # others, such as EPS, would start programs
PICTURES = {".jpg", ".jpeg", ".png", ".bmp", ".webp", ".ppm", ".gif", ".tif", ".tiff"}
ARCHIVES = {".tar", ".zip"}
MOST_PIXELS = 1 << 26  # of a picture, 8192 x 8192: a small file may claim to be as large as any memory
MOST_BYTES = 1 << 28  # of a picture's file


# torchvision has a CIFAR-10 reader (of the pickled version), but needs a build of torch that matches it exactly and
# cannot be imported beside ours; the binary format is three lines of NumPy.
def read_cifar_batch(path: Path) -> np.ndarray:
    """Read one file of CIFAR-10's binary version as (10000, 32, 32, 3) uint8.

    Raises:
        UserError: the file is missing, empty, of another size, or has labels other than 0 to 9.
    """
    if not path.is_file():
        raise UserError(f"{path}: no such file")
    size = path.stat().st_size
    if size != CIFAR_ROW * CIFAR_ROWS:
        what = "empty" if size == 0 else "truncated" if size < CIFAR_ROW * CIFAR_ROWS else "too long"
        raise UserError(f"{path}: {what}: {size} bytes, a batch has {CIFAR_ROW * CIFAR_ROWS}")
    rows = np.fromfile(path, np.uint8).reshape(CIFAR_ROWS, CIFAR_ROW)
    wrong = np.flatnonzero(rows[:, 0] > 9)
    if len(wrong):
        raise UserError(f"{path}: damaged: row {wrong[0]} has the label {rows[wrong[0], 0]}; labels are 0 to 9")
    return rows[:, 1:].reshape(CIFAR_ROWS, 3, 32, 32).transpose(0, 2, 3, 1)


class Pictures:
    """The pictures in a folder and its subfolders, a .tar or a .zip, sorted by name and read in place."""

    def __init__(self, path: Path):
        """Find the pictures.

        Args:
            path: the folder or archive.

        Raises:
            UserError: it is missing or unreadable, or there is no picture.
        """
        self.path = path
        self._archive: tarfile.TarFile | zipfile.ZipFile | None = None
        try:
            if path.is_dir():
                found = [str(p.relative_to(path)) for p in path.rglob("*") if p.is_file()]
            elif path.suffix.lower() == ".tar" and path.is_file():
                self._archive = tarfile.open(path, "r:")  # noqa: SIM115  (kept open while it is read)
                found = [member.name for member in self._archive.getmembers() if member.isfile()]
            elif path.suffix.lower() == ".zip" and path.is_file():
                self._archive = zipfile.ZipFile(path)
                found = self._archive.namelist()
            else:
                raise UserError(f"{path}: not a folder, a .tar or a .zip")
        except UserError:
            raise
        except Exception as error:  # each archive format has its own, and some that Python does not list
            raise UserError(f"{path}: not a readable archive ({_reason(error)})") from None
        self.names = sorted(name for name in found if Path(name).suffix.lower() in PICTURES)
        if not self.names:
            raise UserError(f"{path}: no picture in it ({', '.join(sorted(PICTURES))})")

    def _bytes(self, name: str) -> bytes:
        """The content of a picture's file. Nothing of an archive is ever unpacked to disk."""
        if self._archive is None:
            path = self.path / name
            self._check_size(name, path.stat().st_size)
            return path.read_bytes()
        if isinstance(self._archive, tarfile.TarFile):
            self._check_size(name, self._archive.getmember(name).size)
            return self._archive.extractfile(name).read()
        self._check_size(name, self._archive.getinfo(name).file_size)  # what it claims; no more is unpacked
        return self._archive.read(name)

    def _check_size(self, name: str, size: int) -> None:
        if size > MOST_BYTES:
            raise UserError(f"{self.path}: {name} has {size} bytes, at most {MOST_BYTES} are read")

    def read(self, name: str, size: int) -> np.ndarray:
        """The center crop of a picture, resized: (size, size, 3) uint8.

        Raises:
            UserError: the file is empty, truncated, too large or not a picture.
        """
        try:
            data = self._bytes(name)
            if not data:
                raise UserError(f"{self.path}: {name} is empty")
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # our limit is lower
                with Image.open(io.BytesIO(data), formats=FORMATS) as picture:
                    if picture.width * picture.height > MOST_PIXELS:
                        size_of = f"{picture.width} x {picture.height} pixels"
                        raise UserError(f"{self.path}: {name} has {size_of}, at most {MOST_PIXELS} are read")
                    picture = picture.convert("RGB")
        except UserError:
            raise
        except Exception as error:  # each picture format has its own
            raise UserError(f"{self.path}: {name} is not a readable picture ({_reason(error)})") from None
        side = min(picture.size)
        left, top = (picture.width - side) // 2, (picture.height - side) // 2
        box = (left, top, left + side, top + side)
        return np.asarray(picture.resize((size, size), Image.Resampling.LANCZOS, box=box))

    def images(self, names: list[str], size: int) -> Iterator[np.ndarray]:
        """Yield :meth:`read` of each name."""
        for name in names:
            yield self.read(name, size)


def _reason(error: Exception) -> str:
    text = " ".join(str(error).split())
    return text[:200] if text and isinstance(error, OSError) else f"{type(error).__name__}: {text[:200]}"


def find_pictures(folder: Path) -> Pictures:
    """The pictures of a folder, or of the single archive in it.

    Raises:
        UserError: there is neither.
    """
    if not folder.is_dir():
        return Pictures(folder)
    archives = [p for p in sorted(folder.iterdir()) if p.suffix.lower() in ARCHIVES]
    if len(archives) == 1:
        return Pictures(archives[0])
    return Pictures(folder)
