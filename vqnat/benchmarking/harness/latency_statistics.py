"""Figures from times: latency, throughput, and speed-ups with their uncertainty."""

from typing import Any

import numpy as np

RESAMPLES = 2000


def latency(ms: np.ndarray, sizes: np.ndarray) -> dict[str, Any]:
    """Latency of one system, all figures in ms per sentence.

    Args:
        ms: (rounds, batches) ms of each batch.
        sizes: (batches,) sentences in each.

    Returns:
        ``mean`` over rounds and sentences; percentiles ``p50`` and ``p95`` over batches, each taken at its median
        over rounds; ``standard_error`` of the mean over batches (None for one batch); ``round_means``.
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
    """Output tokens per second.

    Args:
        ms: (rounds, batches) ms of each batch.
        tokens: (batches,) output tokens of each.
    """
    return float(tokens.sum() * len(ms) / (ms.sum() / 1000))


def speedup(baseline: np.ndarray, ms: np.ndarray, seed: int) -> dict[str, Any]:
    """How many times faster a system is than a baseline timed on the same batches in the same rounds.

    Args:
        baseline: (rounds, batches) ms of the baseline.
        ms: (rounds, batches) ms of the system.
        seed: of the bootstrap.

    Returns:
        ``ratio`` of the mean times; ``low`` and ``high``, its 95% interval by a paired bootstrap over batches (how
        it varies with the sentences); ``rounds``: median, min and max of the ratio within single rounds (how it
        varies with the machine's noise); ``of_medians``: the ratio with each batch at its median over rounds, which
        is more robust on a busy machine, where an interruption costs a fast system as much as a slow one.
    """
    # Imported late: memory benchmarks count what their process has loaded, and this module is among it.
    from scipy.stats import bootstrap

    rounds = baseline.sum(1) / ms.sum(1)  # (rounds,)
    theirs, ours = baseline.mean(0), ms.mean(0)  # (batches,) each

    def ratio_of_means(theirs: np.ndarray, ours: np.ndarray, axis: int) -> np.ndarray:
        return theirs.sum(axis) / ours.sum(axis)

    ratio = float(ratio_of_means(theirs, ours, 0))
    low = high = ratio  # one batch has nothing to resample, and scipy refuses it
    if len(ours) > 1:
        # Paired: both systems on the same sentences, for long ones are slow for both.
        low, high = bootstrap(
            (theirs, ours),
            ratio_of_means,
            paired=True,
            n_resamples=RESAMPLES,
            method="percentile",
            rng=np.random.default_rng(seed),
        ).confidence_interval
    return {
        "ratio": ratio,
        "low": float(low),
        "high": float(high),
        "of_medians": float(np.median(baseline, 0).sum() / np.median(ms, 0).sum()),
        "rounds": {
            "median": float(np.median(rounds)),
            "min": float(rounds.min()),
            "max": float(rounds.max()),
        },
    }
