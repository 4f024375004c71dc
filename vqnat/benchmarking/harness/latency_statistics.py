"""From times to figures."""

from typing import Any

import numpy as np

RESAMPLES = 2000


def latency(ms: np.ndarray, sizes: np.ndarray) -> dict[str, Any]:
    """Figures of one system, all in ms per sentence.

    Args:
        ms: (rounds, batches) ms for each batch.
        sizes: (batches,) sentences in each.

    Returns:
        ``mean`` over rounds and sentences; ``p50`` and ``p95`` of the sentences, each with its median over
        the rounds; ``standard_error`` of the mean over sentences (None for one batch); ``round_means``.
    """
    sentences = sizes.sum()
    middle = per_sentence(ms, sizes)
    means = ms.mean(0) / sizes  # (batches,)
    error = float(means.std(ddof=1) / np.sqrt(len(means))) if len(means) > 1 else None
    return {
        "mean": float(ms.mean(0).sum() / sentences),
        "p50": float(np.percentile(middle, 50)),
        "p95": float(np.percentile(middle, 95)),
        "standard_error": error,
        "round_means": [float(mean) for mean in ms.sum(1) / sentences],
    }


def per_sentence(ms: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """(batches,) median over the rounds, in ms per sentence."""
    return np.median(ms, 0) / sizes


def tokens_per_second(ms: np.ndarray, tokens: np.ndarray) -> float:
    """Output tokens by time; ``tokens`` (batches,) counts those of each batch."""
    return float(tokens.sum() * len(ms) / (ms.sum() / 1000))


def speedup(baseline: np.ndarray, ms: np.ndarray, seed: int) -> dict[str, Any]:
    """How many times faster than the baseline, which was timed on the same batches in the same rounds.

    Args:
        baseline: (rounds, batches) its ms.
        ms: (rounds, batches) those of the system.
        seed: of the bootstrap.

    Returns:
        ``ratio`` of the mean times; ``low`` and ``high``, a 95% interval of it by bootstrap over batches
        (other sentences of this kind); ``rounds``: median, min and max of the ratios within one round (this
        machine's noise); ``of_medians``: the ratio when each sentence counts with its median over the rounds,
        which a busy machine distorts less: an interruption adds as much to a fast system as to a slow one.
    """
    rounds = baseline.sum(1) / ms.sum(1)  # (rounds,)
    ours, theirs = ms.mean(0), baseline.mean(0)  # (batches,)
    drawn = np.random.default_rng(seed).integers(len(ours), size=(RESAMPLES, len(ours)))
    # Both systems with the same sentences: long ones are slow for both.
    ratios = theirs[drawn].sum(1) / ours[drawn].sum(1)
    low, high = np.percentile(ratios, [2.5, 97.5])
    return {
        "ratio": float(theirs.sum() / ours.sum()),
        "low": float(low),
        "high": float(high),
        "of_medians": float(np.median(baseline, 0).sum() / np.median(ms, 0).sum()),
        "rounds": {
            "median": float(np.median(rounds)),
            "min": float(rounds.min()),
            "max": float(rounds.max()),
        },
    }
