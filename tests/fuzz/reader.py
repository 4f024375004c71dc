"""What a fuzzed reader is.

A reader that raises UserError has refused its input, and one that returns has accepted it; anything else is a bug: a
traceback, a crash, more memory or time than it may take. A reader of bytes is given seeds, which are valid; a reader of
structure is given a strategy, which begins with a valid value and puts arbitrary ones in places of it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hypothesis import strategies as st


@dataclass(frozen=True)
class Reader:
    """One of them.

    Attributes:
        name: in the table.
        make: in a folder that it may fill, returns the function that reads an input.
        seeds: valid inputs of a reader of bytes.
        strategy: inputs of a reader of structure.
        longest: bytes of an input.
    """

    name: str
    make: Callable[[Path], Callable[[Any], object]]
    seeds: Callable[[], list[bytes]] = list
    strategy: Callable[[], st.SearchStrategy] | None = None
    longest: int = 4096


READERS: dict[str, Reader] = {}


def of_file(path: Path, read: Callable[[Path], object]) -> Callable[[bytes], object]:
    """Bytes as the content of a file, which ``read`` reads."""

    def from_bytes(content: bytes) -> object:
        path.write_bytes(content)
        return read(path)

    return from_bytes


def reader(name: str, **options: Any) -> Callable:
    """Add a reader to the table."""

    def add(make: Callable) -> Callable:
        READERS[name] = Reader(name, make, **options)
        return make

    return add
