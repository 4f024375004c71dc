"""Causal local self-attention in one dimension (Image Transformer, Parmar et al. 2018, section 3.3)."""

import torch
import torch.nn.functional as F
from torch import Tensor

from vqnat.modules.attention import SelfAttention, _merge, _split


def local_mask(length: int, block: int, device: torch.device | None = None) -> Tensor:
    """(T, T) bool, True where query i may read key j: j <= i, and j in i's own block or the one before."""
    index = torch.arange(length, device=device)
    blocks_back = (index // block).unsqueeze(1) - index // block  # (T, T)
    return (index <= index.unsqueeze(1)) & (blocks_back <= 1)


class LocalSelfAttention(SelfAttention):
    """Each position reads what is before it, as far as the start of the block before its own.

    The cost grows with T times the block's length instead of T squared.
    """

    def __init__(self, dim: int, heads: int, dropout: float, block: int):
        super().__init__(dim, heads, dropout)
        self.block = block

    def forward(self, x: Tensor, attend: Tensor | None = None, causal: bool = True) -> Tensor:
        """x (B, T, D) -> (B, T, D). Always causal; pads may only come last, so there is nothing to mask."""
        batch, length, _ = x.shape
        blocks = -(-length // self.block)
        spare = blocks * self.block - length
        query, key, value = (_split(part, self.heads) for part in self.in_proj(x).chunk(3, -1))

        def cut(part: Tensor) -> Tensor:
            """(B, H, T, d) -> (B H, blocks, L, d)"""
            return F.pad(part, (0, 0, 0, spare)).unflatten(2, (blocks, self.block)).flatten(0, 1)

        def with_block_before(part: Tensor) -> Tensor:
            """(B, H, T, d) -> (B H, blocks, 2 L, d)"""
            own = cut(part)
            return torch.cat([F.pad(own, (0, 0, 0, 0, 1, 0))[:, :-1], own], 2)

        rate = self.dropout if self.training else 0.0
        read = F.scaled_dot_product_attention(
            cut(query), with_block_before(key), with_block_before(value), self._mask(blocks, x.device), dropout_p=rate
        )  # (B H, blocks, L, d)
        read = read.unflatten(0, (batch, self.heads)).flatten(2, 3)[:, :, :length]  # (B, H, T, d)
        return self.out_proj(_merge(read))

    def _mask(self, blocks: int, device: torch.device) -> Tensor:
        """(1, blocks, L, 2 L) bool: the first block has none before it."""
        inside = torch.ones(self.block, self.block, dtype=torch.bool, device=device)
        mask = torch.cat([inside, inside.tril()], 1).expand(1, blocks, -1, -1).clone()
        mask[:, 0, :, : self.block] = False
        return mask

    def step(self, x: Tensor, cache: Tensor, position: int) -> Tensor:
        """As :meth:`SelfAttention.step`."""
        query, key, value = (_split(part, self.heads) for part in self.in_proj(x).chunk(3, -1))
        cache[0, :, :, position] = key[:, :, 0]
        cache[1, :, :, position] = value[:, :, 0]
        first = max(0, (position // self.block - 1) * self.block)
        keys, values = cache[0, :, :, first : position + 1], cache[1, :, :, first : position + 1]
        return self.out_proj(_merge(F.scaled_dot_product_attention(query, keys, values)))
