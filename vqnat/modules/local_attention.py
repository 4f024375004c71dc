"""Causal local self-attention in one dimension (Image Transformer, Parmar et al. 2018, section 3.3)."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from vqnat.modules.attention import dot_product, merge_heads, split_heads


def local_mask(length: int, block: int, device: torch.device | None = None) -> Tensor:
    """(T, T) bool, True where query i may read key j: j <= i, and j in i's own block or the one before."""
    index = torch.arange(length, device=device)
    blocks_back = (index // block).unsqueeze(1) - index // block  # (T, T)
    return (index <= index.unsqueeze(1)) & (blocks_back <= 1)


@dataclass(frozen=True)
class LocalDotProduct:
    """A core of self-attention: each position reads what is before it, as far as the start of the block before its own.

    The same as :func:`vqnat.modules.attention.dot_product` with :func:`local_mask`, at a cost that grows with T times
    the block's length instead of T squared.

    Attributes:
        block: L, positions in a block.
    """

    block: int

    def __call__(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        heads: int,
        mask: Tensor | None = None,
        dropout: float = 0.0,
        causal: bool = True,
    ) -> Tensor:
        """As :func:`dot_product`, always causal; padding may only come last, so there is nothing to mask.

        A single query is at the last position of keys and values, from a cache.
        """
        length = query.shape[1]
        if length == 1:
            first = max(0, ((key.shape[-2] - 1) // self.block - 1) * self.block)
            return dot_product(query, key[..., first:, :], value[..., first:, :], heads, dropout=dropout)
        blocks = -(-length // self.block)
        spare = blocks * self.block - length

        def cut(part: Tensor) -> Tensor:
            """(B, T, D) -> (B H, blocks, L, D / H)"""
            padded = F.pad(split_heads(part, heads), (0, 0, 0, spare))
            cut_up: Tensor = padded.unflatten(2, (blocks, self.block))
            return cut_up.flatten(0, 1)

        def with_block_before(part: Tensor) -> Tensor:
            """(B, T, D) -> (B H, blocks, 2 L, D / H)"""
            own = cut(part)
            return torch.cat([F.pad(own, (0, 0, 0, 0, 1, 0))[:, :-1], own], 2)

        read = F.scaled_dot_product_attention(
            cut(query),
            with_block_before(key),
            with_block_before(value),
            self._mask(blocks, query.device),
            dropout_p=dropout,
        )  # (B H, blocks, L, D / H)
        read = read.unflatten(0, (-1, heads)).flatten(2, 3)  # (B, H, blocks L, D / H)
        return merge_heads(read[:, :, :length])

    def _mask(self, blocks: int, device: torch.device) -> Tensor:
        """(1, blocks, L, 2 L) bool: the first block has none before it."""
        inside = torch.ones(self.block, self.block, dtype=torch.bool, device=device)
        mask = torch.cat([inside, inside.tril()], 1).expand(1, blocks, -1, -1).clone()
        mask[:, 0, :, : self.block] = False
        return mask
