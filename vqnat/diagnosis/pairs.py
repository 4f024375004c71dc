"""Sentence pairs of a split: reading, sampling, checking their lengths."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from vqnat.data.bitext import Split
from vqnat.errors import UserError

DISTILLED = "valid1"  # fairseq's name for a second validation set; scripts/distill.py --valid-too writes it


@dataclass(frozen=True)
class Pairs:
    """Some sentences of a split, each (length,) int64 with end-of-sentence; ``ids`` are its lines from 0."""

    split: str
    ids: tuple[int, ...]
    sources: list[Tensor]
    targets: list[Tensor]

    def with_targets(self, targets: Sequence[Tensor]) -> "Pairs":
        """The same sources with other targets."""
        return Pairs(self.split, self.ids, self.sources, list(targets))


def read_pairs(split: Split, count: int | None, seed: int) -> Pairs:
    """Sentences in the order of the split; splits of equal size give the same lines for the same seed.

    Args:
        split: where to read.
        count: number of sentences to sample; None takes all.
        seed: of the sample.

    Raises:
        UserError: the split is damaged, has no sentence, or not the same number on both sides.
    """
    where = f"{split.subset} of {split.folder}"
    try:
        sides = [split.bitext.sentences(split.subset, language) for language in (split.source, split.target)]
        equal = len(sides[0]) == len(sides[1])
        if equal:
            kept = np.arange(len(sides[0]))
            if count is not None and count < len(kept):
                kept = np.sort(np.random.RandomState(seed).permutation(kept)[:count])
            sources, targets = ([side[int(i)].long() for i in kept] for side in sides)
    except Exception as error:  # fairseq asserts, numpy complains about the size, mmap about an empty file
        reason = " ".join(str(error).split())
        raise UserError(f"{where}: damaged ({type(error).__name__}: {reason})") from error
    if not equal:
        raise UserError(
            f"{where}: {len(sides[0])} sentences in {split.source}, {len(sides[1])} in {split.target}: must be equal"
        )
    if len(kept) == 0:
        raise UserError(f"{where}: no sentences")
    return Pairs(split.subset, tuple(int(i) for i in kept), sources, targets)


def check_lengths(pairs: Pairs, longest: tuple[int, int]) -> None:
    """Raise UserError for the first sentence that is too long for the model."""
    for side, sentences, limit in zip(("source", "target"), (pairs.sources, pairs.targets), longest, strict=True):
        for number, tokens in zip(pairs.ids, sentences, strict=True):
            if len(tokens) > limit:
                raise UserError(
                    f"--gen-subset {pairs.split}: the {side} of line {number + 1} has {len(tokens)} tokens, its end "
                    f"included; the model reads at most {limit}"
                )


def readable(pairs: Pairs, longest: tuple[int, int]) -> Pairs:
    """The pairs that are not too long for the model."""
    kept = [
        n for n in range(len(pairs.ids)) if len(pairs.sources[n]) <= longest[0] and len(pairs.targets[n]) <= longest[1]
    ]
    ids, sources, targets = ([column[n] for n in kept] for column in (pairs.ids, pairs.sources, pairs.targets))
    return Pairs(pairs.split, tuple(ids), sources, targets)


def same_sources(one: Pairs, other: Pairs) -> bool:
    """Whether both have the same lines with the same source texts."""
    return one.ids == other.ids and all(torch.equal(a, b) for a, b in zip(one.sources, other.sources, strict=True))


def read_references(path: Path, split: str, lines: int, ids: Sequence[int]) -> list[str]:
    """The lines ``ids`` of a text file with one line per sentence.

    Raises:
        UserError: no such file, not UTF-8, or another number of lines than the split has sentences.
    """
    try:
        found = path.read_text(encoding="utf-8").removesuffix("\n").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"--references {path}: not a readable text ({type(error).__name__})") from error
    if len(found) != lines:
        raise UserError(f"--references {path}: {len(found)} lines, but {split} has {lines} sentences")
    return [found[i] for i in ids]
