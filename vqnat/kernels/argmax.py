"""The index of the largest value of each row, fast on a CPU."""

import torch
from torch import Tensor

BLOCK = 128  # values whose maximum is taken first
LEAST = 512  # shorter rows gain nothing


def argmax_reference(x: Tensor) -> Tensor:
    """The index of the largest value of each row, (..., K) -> (...); the lowest among equals."""
    return x.argmax(-1)


def argmax(x: Tensor) -> Tensor:
    """As :func:`argmax_reference`.

    torch's argmax on a CPU compares one value after another; its maximum is vectorized and many times faster. So the
    maximum of each block of a row is found first, then the block, then the place in that block alone.

    Args:
        x: (..., K).

    Returns:
        (...) int64.
    """
    length = x.shape[-1]
    if x.device.type != "cpu" or length < LEAST:
        return argmax_reference(x)
    rows = x.reshape(-1, length)  # (N, K)
    whole = length // BLOCK * BLOCK
    maxima = rows[:, :whole].unflatten(-1, (-1, BLOCK)).amax(-1)  # (N, K / BLOCK)
    if whole < length:  # the last block overlaps the one before it, which comes first among equals
        maxima = torch.cat([maxima, rows[:, -BLOCK:].amax(-1, keepdim=True)], -1)
    start = maxima.argmax(-1).mul_(BLOCK).clamp_(max=length - BLOCK)  # (N,)
    block = rows.gather(1, start.unsqueeze(1) + torch.arange(BLOCK))
    index: Tensor = start.add_(block.argmax(-1))
    return index.view(x.shape[:-1])
