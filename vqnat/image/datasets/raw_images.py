"""Readers of raw images: CIFAR-10's binary batches, and picture files in a folder or archive."""

import io
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from vqnat.errors import UserError

CIFAR_ROW = 1 + 3 * 32 * 32  # a label, then the red, green and blue plane
CIFAR_ROWS = 10_000
PICTURES = {".jpg", ".jpeg", ".png", ".bmp", ".webp", ".ppm", ".gif", ".tif", ".tiff"}
ARCHIVES = {".tar", ".zip"}


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
        except (tarfile.TarError, zipfile.BadZipFile, EOFError) as error:
            raise UserError(f"{path}: not a readable archive ({error})") from None
        self.names = sorted(name for name in found if Path(name).suffix.lower() in PICTURES)
        if not self.names:
            raise UserError(f"{path}: no picture in it ({', '.join(sorted(PICTURES))})")

    def _bytes(self, name: str) -> bytes:
        if self._archive is None:
            return (self.path / name).read_bytes()
        if isinstance(self._archive, tarfile.TarFile):
            return self._archive.extractfile(name).read()
        return self._archive.read(name)

    def read(self, name: str, size: int) -> np.ndarray:
        """The center crop of a picture, resized: (size, size, 3) uint8.

        Raises:
            UserError: the file is empty, truncated or not a picture.
        """
        try:
            data = self._bytes(name)
            if not data:
                raise UserError(f"{self.path}: {name} is empty")
            with Image.open(io.BytesIO(data)) as picture:
                picture = picture.convert("RGB")
        except (
            OSError,
            ValueError,
            SyntaxError,
            UnidentifiedImageError,
            tarfile.TarError,
            zipfile.BadZipFile,
        ) as error:
            if isinstance(error, UserError):
                raise
            raise UserError(f"{self.path}: {name} is not a readable picture ({error})") from None
        side = min(picture.size)
        left, top = (picture.width - side) // 2, (picture.height - side) // 2
        box = (left, top, left + side, top + side)
        return np.asarray(picture.resize((size, size), Image.Resampling.LANCZOS, box=box))

    def images(self, names: list[str], size: int) -> Iterator[np.ndarray]:
        """Yield :meth:`read` of each name."""
        for name in names:
            yield self.read(name, size)


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
