"""A safetensors file as memory: mapped and not copied, and without numpy.

In a new process both would take longer than all else that a translation needs.
"""

import ctypes
import json
import mmap
from pathlib import Path
from typing import Any, Literal

KINDS: dict[str, Literal["f", "i", "b"]] = {"F32": "f", "I32": "i", "I8": "b"}  # a type's name in the file -> in memory
NAMES = {"f": "float32", "i": "int32", "b": "int8"}
ITEM_SIZES = {"f": 4, "i": 4, "b": 1}
# What reading a file that is something else can raise.
ERRORS = (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError, OverflowError)


def mapped_tensors(path: Path) -> tuple[dict[str, str], dict[str, Any]]:
    """A file's metadata, and its tensors as memoryviews of their shapes.

    Raises:
        one of :data:`ERRORS`: the file is something else, or has a tensor of a type that is not in :data:`KINDS`.
    """
    with path.open("rb") as file:
        # Changes, of which there are none, would stay in this process; ctypes takes no memory that is read-only.
        content = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY))
    start = 8 + int.from_bytes(content[:8], "little")
    tensors = json.loads(bytes(content[8:start]))
    metadata = tensors.pop("__metadata__", {})
    metadata.get("format")  # an object, or an AttributeError
    return metadata, {name: _view(content, start, **tensor) for name, tensor in tensors.items()}


def _view(content: memoryview, start: int, dtype: str, shape: list[int], data_offsets: list[int]) -> Any:
    """A tensor, with the place that its file gives it after ``start``. Raises one of :data:`ERRORS`."""
    first, last = data_offsets
    kind = KINDS[dtype]
    if not 0 <= first <= last <= len(content) - start or (start + first) % ITEM_SIZES[kind]:
        raise ValueError(f"data_offsets {data_offsets}")
    return content[start + first : start + last].cast(kind, shape)  # TypeError unless the shape has as many bytes


def address(values: memoryview) -> int:
    """Where writable values lie, row by row."""
    return ctypes.addressof(ctypes.c_char.from_buffer(values))
