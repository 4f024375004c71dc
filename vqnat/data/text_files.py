"""Parallel text as it comes: two files or one with tabs, plain, .gz or .zst."""

import gzip
import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TextIO

from vqnat.errors import UserError


def open_text(path: Path) -> TextIO:
    """A text file, unpacked by its ending. Raises UserError."""
    if not path.is_file():
        raise UserError(f"{path}: no such file")
    if path.suffix == ".gz":
        return io.TextIOWrapper(gzip.open(path), encoding="utf-8", newline="\n")
    if path.suffix == ".zst":
        try:
            import zstandard
        except ImportError:
            raise UserError(f"{path}: zstandard is not installed: pip install 'vqnat[data]'") from None
        return io.TextIOWrapper(
            zstandard.ZstdDecompressor().stream_reader(path.open("rb"), read_across_frames=True, closefd=True),
            encoding="utf-8",
            newline="\n",
        )
    return path.open(encoding="utf-8", newline="\n")


def read_pairs(files: Sequence[Path]) -> Iterator[tuple[str, str]]:
    """Pairs of one file with tabs, or of two files with as many lines.

    Raises:
        UserError: a file is missing or damaged, a line has no tab, or the two differ in length; it names the line.
    """
    names, number = " and ".join(map(str, files)), 0
    try:
        if len(files) == 1:
            with open_text(files[0]) as lines:
                for number, line in enumerate(lines, 1):
                    parts = line.rstrip("\r\n").split("\t")
                    if len(parts) < 2:
                        raise UserError(f"{names}, line {number}: no tab; it must have source, tab, target")
                    yield parts[0], parts[1]
            return
        with open_text(files[0]) as sources, open_text(files[1]) as targets:
            while True:
                source, target = sources.readline(), targets.readline()
                if not source or not target:
                    break
                number += 1
                yield source.rstrip("\r\n"), target.rstrip("\r\n")
            if source or target:
                more = files[0] if source else files[1]
                raise UserError(f"{names}: must have as many lines, but {more} has more than {number}")
    except UnicodeDecodeError:
        raise UserError(f"{names}, after line {number}: not UTF-8") from None
    except (EOFError, OSError) as error:
        raise UserError(f"{names}, after line {number}: damaged ({error})") from None
    except Exception as error:
        if type(error).__name__ != "ZstdError":
            raise
        raise UserError(f"{names}, after line {number}: damaged ({error})") from None
