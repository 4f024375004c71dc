"""Label smoothing where words have no position of their own."""

from torch import Tensor


def smoothing_loss(mean: Tensor, rows: Tensor, positions: Tensor, words: Tensor) -> Tensor:
    """For each word the sentence's mean over its positions, summed.

    Args:
        mean: (N,) mean log-probability of the vocabulary at each position.
        rows: (N,) the sentence of each position.
        positions: (B,) how many a sentence has.
        words: (B,) how many words; 0 where the sentence does not count.
    """
    return -(mean * (words / positions.clamp(min=1))[rows]).sum()
