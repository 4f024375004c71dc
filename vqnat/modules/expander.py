"""Transposed convolutions: each code becomes 2^nc target positions."""

from collections.abc import Callable

import torch.nn.functional as F
from torch import Tensor, nn

from vqnat.kernels.linear import Linear
from vqnat.modules.residual_conv import ResidualConv


class Expander(nn.Module):
    """nc times: a residual block, then a doubling of the length.

    Doubling is a transposed convolution of width 2 and stride 2. Its outputs do not overlap, so it is one linear
    map to 2 D, a LayerNorm over both halves, and a reshape, as in the original.
    """

    __call__: Callable[..., Tensor]

    def __init__(self, dim: int, steps: int, dropout: float):
        super().__init__()
        self.residual = nn.ModuleList(ResidualConv(dim, 1, dropout) for _ in range(steps))
        self.doubling = nn.ModuleList(Linear(dim, 2 * dim) for _ in range(steps))
        self.norms = nn.ModuleList(nn.LayerNorm(2 * dim) for _ in range(steps))

    def forward(self, x: Tensor, real: Tensor) -> Tensor:
        """x (B, T, D), real (B, T) True at real codes -> (B, 2^nc T, D)."""
        keep = real.unsqueeze(-1).to(x)  # (B, T, 1)
        for block, linear, norm in zip(self.residual, self.doubling, self.norms, strict=True):
            x = norm(linear(F.relu(block(x, keep))))  # (B, T, 2 D)
            x = x.unflatten(-1, (2, -1)).flatten(1, 2)  # (B, 2 T, D)
            keep = keep.repeat_interleave(2, 1)
        return x
