"""The sets that are read: the one to translate, samples of the training text, raw and distilled validation."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from fairseq.data import data_utils
from torch import Tensor

from vqnat.benchmarking.harness.sentences import TestSet, open_test_set
from vqnat.errors import UserError

DISTILLED = "valid1"  # fairseq's name for a second validation set; scripts/distill.py --valid-too writes it


@dataclass(frozen=True)
class Pairs:
    """Some sentences of a split, each (length,) int64 with its end of sentence; ``ids`` count its lines from 0."""

    split: str
    ids: tuple[int, ...]
    sources: list[Tensor]
    targets: list[Tensor]

    def with_targets(self, targets: Sequence[Tensor]) -> "Pairs":
        """The same sources with other targets."""
        return Pairs(self.split, self.ids, self.sources, list(targets))


def open_split(data: Path, split: str, languages: tuple[str | None, str | None]) -> TestSet:
    """A split that must be there. Raises UserError as :func:`open_test_set` does."""
    return open_test_set(data, split, *languages)


def has_split(data: Path, split: str, languages: tuple[str, str]) -> bool:
    """Whether the folder holds this split for the languages, in either order."""
    pairs = ("-".join(languages), "-".join(reversed(languages)))
    return any((data / f"{split}.{pair}.{languages[0]}.idx").is_file() for pair in pairs)


def read_pairs(split: TestSet, count: int | None, seed: int) -> Pairs:
    """Sentences in the split's order; splits of one size give the same lines for the same seed.

    Args:
        split: where they are.
        count: draw so many; None takes all.
        seed: of the draw.

    Raises:
        UserError: the split is damaged, has no sentence, or not the same number on both sides.
    """
    where = f"{split.subset} of {split.folder}"
    try:
        sides = [
            data_utils.load_indexed_dataset(str(split.file(language, "bin").with_suffix("")))
            for language in (split.source, split.target)
        ]
        equal = len(sides[0]) == len(sides[1])
        if equal:
            kept = np.arange(len(sides[0]))
            if count is not None and count < len(kept):
                kept = np.sort(np.random.RandomState(seed).permutation(kept)[:count])
            sources, targets = ([side[int(i)].long() for i in kept] for side in sides)
    except Exception as error:  # fairseq asserts, numpy complains of the size, mmap of an empty file
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
    """Those that are not too long for the model."""
    kept = [
        n for n in range(len(pairs.ids)) if len(pairs.sources[n]) <= longest[0] and len(pairs.targets[n]) <= longest[1]
    ]
    ids, sources, targets = ([column[n] for n in kept] for column in (pairs.ids, pairs.sources, pairs.targets))
    return Pairs(pairs.split, tuple(ids), sources, targets)


def same_sources(one: Pairs, other: Pairs) -> bool:
    """Whether both are of the same lines and texts."""
    return one.ids == other.ids and all(torch.equal(a, b) for a, b in zip(one.sources, other.sources, strict=True))


def read_references(path: Path, split: str, lines: int, ids: Sequence[int]) -> list[str]:
    """Their text, for the lines ``ids`` of a file of one line a sentence.

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
