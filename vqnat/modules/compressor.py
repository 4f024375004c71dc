"""Strided convolutions: T target positions become T / 2^nc latent positions."""

from collections.abc import Callable

import torch.nn.functional as F
from torch import Tensor, nn

from vqnat.kernels.linear import Linear
from vqnat.modules.residual_conv import ResidualConv


class Compressor(nn.Module):
    """nc residual blocks, then nc halvings (Roy et al. 2018, section 5.1; layers of tensor2tensor's transformer_vae).

    Halving is a convolution of width 2 and stride 2. Its windows do not overlap, so it is one linear map of two
    neighbors put side by side.
    """

    __call__: Callable[..., Tensor]

    def __init__(self, dim: int, steps: int, dropout: float):
        super().__init__()
        self.steps = steps
        self.residual = nn.ModuleList(ResidualConv(dim, 3, dropout) for _ in range(steps))
        self.halving = nn.ModuleList(Linear(2 * dim, dim) for _ in range(steps))
        self.norms = nn.ModuleList(nn.LayerNorm(dim) for _ in range(steps))

    def forward(self, x: Tensor, real: Tensor) -> Tensor:
        """Shorten the sequence by a factor of 2^nc.

        Args:
            x: (B, T, D), T a multiple of 2^nc.
            real: (B, T) True at real positions.

        Returns:
            (B, T / 2^nc, D). A latent position is real when any position under it is.
        """
        keep = real.unsqueeze(-1).to(x)  # (B, T, 1)
        for block in self.residual:
            x = block(x, keep)
        for linear, norm in zip(self.halving, self.norms, strict=True):
            pairs = (F.relu(x) * keep).unflatten(1, (-1, 2)).flatten(2)  # (B, T / 2, 2 D)
            x = norm(linear(pairs))
            keep = keep[:, ::2]
        return x
