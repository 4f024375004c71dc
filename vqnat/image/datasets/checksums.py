"""Downloads and their checksums."""

import hashlib
import urllib.request
from pathlib import Path

from vqnat.errors import UserError
from vqnat.records.atomic import replacing
from vqnat_serving.text_lines import read_texts


def check_sums(folder: Path, names: list[str]) -> None:
    """Compare files with ``SHA256SUMS`` beside them, if it exists.

    Raises:
        UserError: a checksum differs.
    """
    path = folder / "SHA256SUMS"
    if not path.is_file():
        return
    with path.open("rb") as stream:
        lines = [line.split() for line in read_texts(stream, str(path))]
    wanted = {words[1].lstrip("*"): words[0] for words in lines if len(words) == 2}
    for name in names:
        if name in wanted:
            verify(folder / name, "sha256", wanted[name])


def verify(path: Path, kind: str, expected: str) -> None:
    """Check a file against the checksum ``expected`` of ``kind``, an algorithm of hashlib.

    Raises:
        UserError: it differs.
    """
    with path.open("rb") as file:
        found = hashlib.file_digest(file, kind).hexdigest()
    if found != expected:
        raise UserError(f"{path}: damaged: its {kind} is {found}, expected {expected}")


def fetch(url: str, path: Path, md5: str) -> Path:
    """Download a file unless it is there, and check it.

    Raises:
        UserError: there is no connection, or the checksum differs.
    """
    if not path.is_file():
        if not url.startswith("https://"):
            raise ValueError(url)
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as temporary:
            try:
                urllib.request.urlretrieve(url, temporary)  # nosec B310
            except OSError as error:
                raise UserError(f"{url}: could not be downloaded ({error}); give a copy with --from DIR") from None
            verify(temporary, "md5", md5)
    verify(path, "md5", md5)
    return path
