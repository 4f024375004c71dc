"""Sentences in batches without padding, the same on every machine."""

import numpy as np


def plan_batches(lengths: np.ndarray, max_tokens: int, max_sentences: int) -> list[np.ndarray]:
    """Batches of sentences of one length each, the same for any number of shards.

    Nothing is padded within a batch. This wastes no work, and a sentence's output cannot depend on its neighbors:
    fairseq limits the output length by the longest source of the batch.

    Args:
        lengths: (N,) source lengths in tokens.
        max_tokens: source tokens in a batch; a longer sentence is a batch by itself.
        max_sentences: sentences in a batch.

    Returns:
        Arrays of sentence indices. The longest sentences come first, so that a GPU with too little memory fails at
        once; the rest are in a fixed random order, so that shards get equal work and the time left is easy to estimate.
    """
    order = np.argsort(-lengths, kind="stable")
    batches = []
    for group in np.split(order, np.flatnonzero(np.diff(lengths[order])) + 1):
        if len(group):
            size = max(1, min(max_sentences, max_tokens // max(1, int(lengths[group[0]]))))
            batches += [group[i : i + size] for i in range(0, len(group), size)]
    # RandomState, whose stream numpy has frozen: the journals rely on the order
    rest = np.random.RandomState(0).permutation(np.arange(1, len(batches)))
    return batches[:1] + [batches[i] for i in rest]


def shard_batches(n_batches: int, shard: int, num_shards: int) -> range:
    """The batches that a shard decodes."""
    return range(shard, n_batches, num_shards)
