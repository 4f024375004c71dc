"""Figures about codes: over a whole text, by position, and by a word's place within its code."""

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from vqnat.bottlenecks import perplexity
from vqnat.diagnosis.teacher_forcing import Forced

BITS = math.log(2)  # nats


def code_figures(rows: Sequence[Forced], codes: int) -> dict[str, Any]:
    """The predictor and the posterior on one text.

    Args:
        rows: its sentences.
        codes: K.

    Returns:
        ``sentences``, ``codes``; ``bits`` per code and the share ``right`` of the predictor's best guesses, given the
        true preceding codes, including the end of the codes if it is predicted; ``words_right`` from the true codes;
        ``entropy_bits``, ``best`` and ``agree`` of the posterior, means over codes; ``perplexity`` of the codes.
    """
    return {
        "sentences": len(rows),
        "codes": sum(len(row.codes) for row in rows),
        "bits": _mean([row.nats for row in rows], BITS),
        "right": _mean([row.right for row in rows]),
        "words_right": None if rows[0].wrong is None else 1 - _mean([row.wrong for row in rows]),
        "entropy_bits": _mean([row.entropy for row in rows], BITS),
        "best": _mean([row.best for row in rows]),
        "agree": _mean([row.agree for row in rows]),
        "perplexity": code_perplexity([row.codes for row in rows], codes),
    }


def _mean(parts: Sequence[Tensor], unit: float = 1.0) -> float | None:
    # In float64, so that the sum does not depend on how sentences were batched.
    values = torch.cat(list(parts)).double()
    return float(values.mean()) / unit if len(values) else None


def code_perplexity(sequences: Sequence[Tensor], codes: int) -> float:
    """Perplexity of all codes of a text, exp of their entropy, from 1 to K."""
    return float(perplexity(torch.bincount(torch.cat(list(sequences)), minlength=codes).double()))


def right_by_position(rows: Sequence[Forced]) -> list[dict[str, Any]]:
    """Share of right guesses at code 1, 2, ..., given the true preceding codes; the end is not counted."""
    return _by_index([row.right[: len(row.codes)] for row in rows])


def ends_right(rows: Sequence[Forced]) -> float | None:
    """Share of code sequences whose end is the predictor's best guess there; None if it does not predict ends."""
    ends = [row.right[len(row.codes) :] for row in rows]
    return _mean(ends)


def equal_by_position(found: Sequence[Tensor], wanted: Sequence[Tensor]) -> list[dict[str, Any]]:
    """At each position of the wanted codes (T_i,), the share of sequences that have that code there."""
    equal = []
    for one, other in zip(found, wanted, strict=True):
        hits = torch.zeros(len(other), dtype=torch.bool)
        shared = min(len(one), len(other))
        hits[:shared] = one[:shared] == other[:shared]
        equal.append(hits)
    return _by_index(equal)


def _by_index(flags: Sequence[Tensor]) -> list[dict[str, Any]]:
    longest = max(len(one) for one in flags)
    hits, counts = torch.zeros(longest), torch.zeros(longest)
    for one in flags:
        hits[: len(one)] += one
        counts[: len(one)] += 1
    return [
        {"share": float(hit / count), "count": int(count)}
        for hit, count in zip(hits.double(), counts.double(), strict=True)
    ]


def wrong_by_offset(rows: Sequence[Forced], stride: int) -> dict[str, Any] | None:
    """Share of wrong words by their place within a code.

    Args:
        rows: sentences; the words' marks are those of :class:`Forced`.
        stride: 2^nc, words per code.

    Returns:
        ``by_offset`` as {share, count} for place 0 to 2^nc - 1; ``edge``: the first and the last place; ``inside``: the
        others, None with two words per code. None for an output layer without a fixed place for each word.
    """
    if any(row.wrong is None for row in rows):
        return None
    wrong, counts = torch.zeros(stride, dtype=torch.float64), torch.zeros(stride, dtype=torch.float64)
    for row in rows:
        places = torch.arange(len(row.wrong)) % stride
        wrong.index_add_(0, places, row.wrong.double())
        counts.index_add_(0, places, torch.ones(len(places), dtype=torch.float64))
    edges = torch.tensor([place in (0, stride - 1) for place in range(stride)])

    def share(chosen: Tensor) -> float | None:
        total = float(counts[chosen].sum())
        return float(wrong[chosen].sum()) / total if total else None

    return {
        "by_offset": [
            {"share": float(hit / count) if count else None, "count": int(count)}
            for hit, count in zip(wrong, counts, strict=True)
        ],
        "edge": share(edges),
        "inside": share(~edges),
    }


def length_figures(codes: Sequence[Tensor], wanted: Sequence[Tensor] | None, codebook: int) -> dict[str, Any]:
    """Number of codes relative to the teacher's translation, and their perplexity."""
    total = sum(map(len, codes))
    return {
        "codes_ratio": None if wanted is None else total / sum(map(len, wanted)),
        "perplexity": code_perplexity(codes, codebook),
    }
