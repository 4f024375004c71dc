"""Whether binarized files are whole: by their checksums where the folder has some, and by their sizes."""

import struct
from pathlib import Path

import numpy as np
from fairseq.data.indexed_dataset import MMapIndexedDataset, _code_to_dtype

from vqnat.errors import UserError
from vqnat.records.checksums import check_sums

_HEADER = struct.Struct("<9sQBQ")  # magic, version, code of the tokens' type, sentences
_REPAIR = "binarize the text again"


def check_dictionaries(folder: Path) -> None:
    """Compare the checksums of the dictionaries, if the folder has checksums. Raises UserError."""
    if folder.is_dir():
        check_sums(folder, lambda name: name.startswith("dict."))


def check_split_files(folder: Path, split: str) -> None:
    """Check the files of a split, both languages.

    Raises:
        UserError: one is truncated or damaged.
    """
    if not folder.is_dir():
        return
    check_sums(folder, lambda name: name.startswith(f"{split}.") and name.endswith((".bin", ".idx")))
    for index in sorted(folder.glob(f"{split}.*.idx")):
        check_index(index)


def check_index(index: Path) -> None:
    """Check that an index is whole and fits the size of its ``.bin``; an index of another format passes.

    Raises:
        UserError: one of the two is truncated or damaged.
    """
    content = index.read_bytes()
    data = index.with_suffix(".bin")
    magic = MMapIndexedDataset.Index._HDR_MAGIC
    if len(content) < len(magic):
        raise UserError(f"{index}: damaged: {'truncated' if content else 'empty'}; {_REPAIR}")
    if not content.startswith(magic):
        return
    if not data.is_file():
        raise UserError(f"{data}: no such file, but {index.name} is there; {_REPAIR}")
    if len(content) < _HEADER.size:
        raise UserError(f"{index}: damaged: truncated; {_REPAIR}")
    _, version, code, count = _HEADER.unpack_from(content)
    if version != 1 or code not in _code_to_dtype or len(content) != _HEADER.size + 12 * count:
        raise UserError(f"{index}: damaged: truncated or changed; {_REPAIR}")
    sizes = np.frombuffer(content, "<i4", count, _HEADER.size)
    pointers = np.frombuffer(content, "<i8", count, _HEADER.size + 4 * count)
    width = np.dtype(_code_to_dtype[code]).itemsize
    ends = np.cumsum(sizes, dtype=np.int64) * width
    if (sizes < 0).any() or (pointers != ends - sizes.astype(np.int64) * width).any():
        raise UserError(f"{index}: damaged: its sentences do not follow one another; {_REPAIR}")
    expected = int(ends[-1]) if count else 0
    if (size := data.stat().st_size) != expected:
        raise UserError(f"{data}: {size} bytes, but {index.name} says {expected}; {_REPAIR}")
