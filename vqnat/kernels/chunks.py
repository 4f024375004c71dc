"""Rows of a large matrix of logits, a chunk at a time."""

from collections.abc import Iterator

from torch import Tensor

# Logits processed at a time: on a CPU as many as stay in its cache, elsewhere so many that there are few launches.
CHUNK_ELEMENTS = {"cpu": 1 << 17}
LARGE_CHUNK_ELEMENTS = 1 << 26


def row_chunks(logits: Tensor) -> Iterator[slice]:
    """Slices of the rows of logits (N, V), in order."""
    rows = max(1, CHUNK_ELEMENTS.get(logits.device.type, LARGE_CHUNK_ELEMENTS) // max(1, logits.shape[-1]))
    return (slice(start, start + rows) for start in range(0, len(logits), rows))
