"""A safetensors file as memory: mapped and not copied, and without numpy.

In a new process both would take longer than all else that a translation needs.
"""

import json
import mmap
import struct
from pathlib import Path
from typing import Any, Literal

from vqnat_serving.errors import UserError

KINDS: dict[str, Literal["f", "i", "b"]] = {"F32": "f", "I32": "i", "I8": "b"}  # a type's name in the file -> in memory
NAMES = {"f": "float32", "i": "int32", "b": "int8"}
# What values that are something else can raise.
ERRORS = (ValueError, TypeError, KeyError, AttributeError, RecursionError, OverflowError)


def mapped_tensors(path: Path, file_format: str, what: str) -> tuple[dict[str, str], dict[str, Any]]:
    """A file's metadata, and its tensors as memoryviews of their shapes.

    Args:
        path: the file.
        file_format: that its metadata must name.
        what: it should be, for the error: ``a shortlist``.

    Raises:
        UserError: the file cannot be read, is something else or damaged, or has a tensor of a type that is not in
            :data:`KINDS`.
    """
    try:
        with path.open("rb") as file:
            # Changes, of which there are none, would stay in this process; ctypes takes no memory that is read-only.
            content = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY))
        start = 8 + int.from_bytes(content[:8], "little")
        tensors = json.loads(bytes(content[8:start]))
        metadata = tensors.pop("__metadata__", {})
        if (found := metadata.get("format")) != file_format:
            raise UserError(f"{path}: format {found!r}, this runner reads {file_format!r}: export again")
        return metadata, {name: _view(content, start, **tensor) for name, tensor in tensors.items()}
    except UserError:
        raise
    except (OSError, *ERRORS) as error:
        raise UserError(f"{path}: not {what} ({type(error).__name__})") from error


def _view(content: memoryview, start: int, dtype: str, shape: list[int], data_offsets: list[int]) -> Any:
    """A tensor, with the place that its file gives it after ``start``. Raises one of :data:`ERRORS`."""
    first, last = data_offsets
    kind = KINDS[dtype]
    if not 0 <= first <= last <= len(content) - start or (start + first) % struct.calcsize(kind):
        raise ValueError(f"data_offsets {data_offsets}")
    return content[start + first : start + last].cast(kind, shape)  # TypeError unless the shape has as many bytes
