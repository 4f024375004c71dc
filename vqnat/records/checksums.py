"""Checksums of files and folders; the runner checks a model folder with the same functions.

A folder's are in ``SHA256SUMS``, which ``sha256sum *.bin *.idx dict.* > SHA256SUMS`` writes as well.
"""

import re
from collections.abc import Callable
from pathlib import Path

from vqnat.errors import UserError
from vqnat.records.atomic import replacing
from vqnat_serving.checksums import sealed, sha256, unsealed

__all__ = ["SUMS", "check_sums", "read_sums", "sealed", "sha256", "unsealed", "write_sums"]

SUMS = "SHA256SUMS"
_LINE = re.compile(r"([0-9a-f]{64}) [ *](.+)")


def write_sums(folder: Path, sums: dict[str, str]) -> None:
    """Write ``SHA256SUMS``, given the checksum of each file by its name. Raises OSError."""
    with replacing(folder / SUMS) as temporary:
        temporary.write_text("".join(f"{sums[name]}  {name}\n" for name in sorted(sums)), encoding="utf-8")


def read_sums(folder: Path) -> dict[str, str]:
    """The checksums in ``SHA256SUMS`` by file name; none if the folder has no such file.

    Raises:
        UserError: a line is something else.
    """
    path = folder / SUMS
    if not path.is_file():
        return {}
    found = {}
    for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").split("\n")[:-1], 1):
        match = _LINE.fullmatch(line)
        if match is None:
            raise UserError(f"{path}, line {number}: not a checksum; make the folder again")
        found[match[2]] = match[1]
    return found


def check_sums(folder: Path, wanted: Callable[[str], bool]) -> None:
    """Compare the files of a folder whose name is ``wanted`` with ``SHA256SUMS``, if it has one.

    Raises:
        UserError: a file is missing, differs, or is not listed.
    """
    sums = read_sums(folder)
    if not sums:
        return
    there = {path.name for path in folder.iterdir() if path.is_file()}
    for name in sorted(name for name in {*sums, *there} if wanted(name)):
        if name not in there:
            raise UserError(f"{folder / name}: no such file, but {SUMS} lists it; make the folder again")
        if name not in sums:
            raise UserError(f"{folder / name}: not listed in {SUMS} beside it; make the folder again")
        if sha256(folder / name) != sums[name]:
            raise UserError(f"{folder / name}: damaged: {SUMS} beside it has another checksum; make the folder again")
