"""A residual block of convolutions over a padded batch."""

from collections.abc import Callable

import torch.nn.functional as F
from torch import Tensor, nn

from vqnat.kernels.dropout import dropout


class ResidualConv(nn.Module):
    """x + dropout(conv blocks of LayerNorm(x)); one conv block is ReLU, convolution of width 3, LayerNorm.

    The residual block of the original Latent Transformer (tensor2tensor, transformer_vae), with what it lacks:
    padding is zeroed before every convolution, so a sentence's output does not depend on its batch.
    """

    __call__: Callable[..., Tensor]

    def __init__(self, dim: int, blocks: int, dropout: float, width: int = 3):
        super().__init__()
        self.dropout = dropout
        self.norm = nn.LayerNorm(dim)
        # No bias: the LayerNorm that follows has one.
        self.convs = nn.ModuleList(nn.Conv1d(dim, dim, width, padding=width // 2, bias=False) for _ in range(blocks))
        self.norms = nn.ModuleList(nn.LayerNorm(dim) for _ in range(blocks))

    def forward(self, x: Tensor, keep: Tensor) -> Tensor:
        """x (B, T, D), keep (B, T, 1) 1 at real positions and 0 at padding -> (B, T, D)."""
        y = self.norm(x)
        for conv, norm in zip(self.convs, self.norms, strict=True):
            y = conv((F.relu(y) * keep).transpose(1, 2)).transpose(1, 2)  # (B, T, D)
            y = norm(y)
        return x + dropout(y, self.dropout, self.training)
