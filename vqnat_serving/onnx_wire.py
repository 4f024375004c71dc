"""Whether an ONNX file names other files, without an ONNX library.

A tensor of a graph may lie in another file, which the graph names: by an absolute path, one with ``..``, or through a
link. The runtime refuses some of these, depending on its version, and no checksum covers any. Our exports are single
files, so whatever names another is refused.

A protocol buffer is a row of fields, each a number, a type and a value; fields that are not on the way to a tensor are
stepped over. Field numbers are those of onnx.proto.
"""

import mmap
from collections.abc import Iterator
from pathlib import Path

# Message -> field -> the message that it holds.
_INSIDE = {
    "model": {7: "graph", 25: "function", 20: "training"},
    "training": {1: "graph", 2: "graph"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "function": {7: "node", 11: "attribute"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
    "tensor": {},
}
_EXTERNAL_DATA, _LOCATION = 13, 14  # of a tensor
_DEEPEST = 100  # messages within one another; protocol buffers have the same limit


def names_other_files(path: Path) -> bool:
    """Whether a tensor of the model lies in another file.

    Raises:
        ValueError: not a protocol buffer.
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        if path.stat().st_size == 0:
            raise ValueError("empty")
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            return _external(content, 0, len(content), "model", 0)


def _external(content: mmap.mmap, start: int, end: int, message: str, depth: int) -> bool:
    if depth > _DEEPEST:
        raise ValueError("nested too deeply")
    for field, kind, first, last in _fields(content, start, end):
        if message == "tensor" and (field == _EXTERNAL_DATA or (field == _LOCATION and kind == 0 and first)):
            return True
        inner = _INSIDE[message].get(field)
        if inner and kind == 2 and _external(content, first, last, inner, depth + 1):
            return True
    return False


def _fields(content: mmap.mmap, at: int, end: int) -> Iterator[tuple[int, int, int, int]]:
    """Each field: number, type, and where its value begins and ends; of a number its value, and where it ends."""
    while at < end:
        tag, at = _number(content, at, end)
        kind = tag & 7
        if kind == 0:
            value, at = _number(content, at, end)
            yield tag >> 3, kind, value, at
            continue
        if kind == 2:
            size, at = _number(content, at, end)
        elif kind in (1, 5):
            size = 8 if kind == 1 else 4
        else:
            raise ValueError(f"type {kind}")
        if at + size > end:
            raise ValueError("truncated")
        yield tag >> 3, kind, at, at + size
        at += size


def _number(content: mmap.mmap, at: int, end: int) -> tuple[int, int]:
    """A number in base 128, and where it ends."""
    value = shift = 0
    while True:
        if at >= end or shift > 63:
            raise ValueError("truncated")
        byte = content[at]
        value |= (byte & 127) << shift
        at += 1
        if byte < 128:
            return value, at
        shift += 7
