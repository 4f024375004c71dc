"""``shortlist.safetensors``: the words that a translation of given source words may have.

``starts`` (S + 2,) and ``words`` (N,), int32: source symbol i allows ``words[starts[i]:starts[i + 1]]``, and every
sentence those at the last place, S. ``vqnat export --shortlist`` makes it.
"""

from array import array
from dataclasses import dataclass
from pathlib import Path

from vqnat_serving.errors import UserError
from vqnat_serving.mapped_tensors import mapped_tensors

FILE = "shortlist.safetensors"
FORMAT = "vqnat-shortlist-1"


@dataclass(frozen=True)
class Shortlist:
    """What a file holds, checked: the engine trusts it.

    Attributes:
        starts: (S + 2,) of S source symbols.
        words: (N,) target symbols.
    """

    starts: "array[int]"
    words: "array[int]"

    @property
    def always(self) -> int:
        """The place of the words that every sentence may use."""
        return len(self.starts) - 2

    @classmethod
    def read(cls, path: Path, source_symbols: int, target_symbols: int) -> "Shortlist":
        """Read a file for dictionaries of these sizes.

        Raises:
            UserError: no readable file, or another model's.
        """
        _, tensors = mapped_tensors(path, FORMAT, "a shortlist")
        rows = [one for one in map(tensors.get, ("starts", "words")) if one and (one.format, one.ndim) == ("i", 1)]
        if len(rows) < 2:
            raise UserError(f"{path}: not a shortlist (starts and words must be rows of int32)")
        places, symbols = (row.tolist() for row in rows)
        if len(places) != source_symbols + 2:
            raise UserError(
                f"{path}: for {len(places) - 2} source symbols, the model has {source_symbols}: export again"
            )
        if places[0] != 0 or places[-1] != len(symbols) or places != sorted(places) or places[-2] == places[-1]:
            raise UserError(f"{path}: not a shortlist (its starts do not ascend from 0 to {len(symbols)})")
        if min(symbols) < 0 or max(symbols) >= target_symbols:
            raise UserError(
                f"{path}: words {min(symbols)} to {max(symbols)}, the model has {target_symbols}: export again"
            )
        return cls(array("i", places), array("i", symbols))
