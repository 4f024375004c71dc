"""Which sentences are decoded together."""

from collections.abc import Sequence


def batches_by_length(lengths: Sequence[int], max_tokens: int, max_sentences: int) -> list[list[int]]:
    """Group sentences of similar length, so that little is computed on pads.

    Args:
        lengths: of each sentence, in tokens.
        max_tokens: the most tokens in a batch, pads included; a longer sentence is alone.
        max_sentences: the most sentences in a batch.

    Returns:
        Indices into ``lengths``, each once; within and over batches from short to long.
    """
    batches: list[list[int]] = []
    for index in sorted(range(len(lengths)), key=lengths.__getitem__):
        # The newcomer is the longest: the others are padded to its length.
        room = max(1, min(max_sentences, max_tokens // lengths[index]))
        if batches and len(batches[-1]) < room:
            batches[-1].append(index)
        else:
            batches.append([index])
    return batches


def shares(count: int, parts: int) -> list[slice]:
    """So many sentences in at most ``parts`` parts of nearly the same size, in order; none is empty."""
    parts = min(count, parts)
    return [slice(count * part // parts, count * (part + 1) // parts) for part in range(parts)]
