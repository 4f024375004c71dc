"""The index of the largest value of each row, fast on a CPU."""

import torch
from torch import Tensor

BLOCK = 128  # values whose maximum is taken first
LEAST = 1024  # shorter rows gain nothing


def argmax(x: Tensor) -> Tensor:
    """``x.argmax(-1)``: the lowest index among equals.

    torch's argmax on a CPU compares one value after another; its maximum is vectorised and ten times faster. So the
    maximum of each block of a row is found first, then the block, then the place in that block alone.

    Args:
        x: (..., K).

    Returns:
        (...) int64.
    """
    length = x.shape[-1]
    if x.device.type != "cpu" or length < LEAST or length % BLOCK or not x.is_contiguous():
        return x.argmax(-1)
    blocks = x.view(-1, length // BLOCK, BLOCK)  # (N, K / BLOCK, BLOCK)
    best = blocks.amax(-1).argmax(-1)  # (N,)
    inside = blocks[torch.arange(len(blocks)), best].argmax(-1)
    return inside.add_(best, alpha=BLOCK).view(x.shape[:-1])
