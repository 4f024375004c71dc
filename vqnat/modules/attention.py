"""Multi-head attention: to the sequence itself and to the source. Batch first.

Training, decoding step by step and export run the same ``forward``. Two things can be swapped: the cache that a step
extends (:mod:`vqnat.modules.key_value_cache`), and the ``core``, what queries read of keys and values once all are
projected: :func:`dot_product`, a local window (:mod:`vqnat.modules.local_attention`), or one operator of an exported
graph (:mod:`vqnat.export.fused_attention`).
"""

from collections.abc import Callable
from typing import Protocol

import torch.nn.functional as F
from torch import Tensor, nn

from vqnat.kernels.linear import Linear
from vqnat.modules.key_value_cache import KeyValueCache

Projected = tuple[Tensor, Tensor]  # keys and values of a source, each (B, H, S, D / H)


class Core(Protocol):
    """What queries read of keys and values; arguments as of :func:`dot_product`."""

    def __call__(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        heads: int,
        mask: Tensor | None = None,
        dropout: float = 0.0,
        causal: bool = False,
    ) -> Tensor: ...


def xavier_linear(inputs: int, outputs: int) -> Linear:
    """A linear map with Xavier-uniform weights and a bias of zeros."""
    layer = Linear(inputs, outputs)
    nn.init.xavier_uniform_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer


def split_heads(x: Tensor, heads: int) -> Tensor:
    """(B, T, D) -> (B, H, T, D / H)"""
    if x.shape[1] == 1:  # needs no transposing, which in an exported step would be an operator of its own
        return x.reshape(x.shape[0], heads, 1, -1)
    parts: Tensor = x.unflatten(-1, (heads, -1))
    return parts.transpose(1, 2)


def merge_heads(x: Tensor) -> Tensor:
    """(B, H, T, D / H) -> (B, T, D)"""
    merged: Tensor = x.transpose(1, 2).flatten(2)
    return merged


def dot_product(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    heads: int,
    mask: Tensor | None = None,
    dropout: float = 0.0,
    causal: bool = False,
) -> Tensor:
    """Scaled dot-product attention: softmax(q k / sqrt(D / H)) v of each head (Vaswani et al. 2017, section 3.2.1).

    Args:
        query: (B, T, D).
        key: (B, S, D), or split into heads (B, H, S, D / H).
        value: as ``key``.
        heads: H.
        mask: (B, 1, 1, S) bool, True at keys that may be read; None when all may.
        dropout: probability that an attention weight is dropped.
        causal: query t reads keys 0 to t; needs S = T and no ``mask``.

    Returns:
        (B, T, D).
    """
    key, value = (split_heads(part, heads) if part.dim() == 3 else part for part in (key, value))
    read = F.scaled_dot_product_attention(
        split_heads(query, heads), key, value, mask, dropout_p=dropout, is_causal=causal
    )
    return merge_heads(read)


class _Attention(nn.Module):
    """What both kinds share: H heads, a core, an output projection."""

    __call__: Callable[..., Tensor]
    out_proj: Linear

    def __init__(self, heads: int, dropout: float, core: Core):
        super().__init__()
        self.heads, self.dropout, self.core = heads, dropout, core

    def _read(self, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, causal: bool = False) -> Tensor:
        dropout = self.dropout if self.training else 0.0
        return self.out_proj(self.core(query, key, value, self.heads, mask, dropout, causal))


class SelfAttention(_Attention):
    """Self-attention with one fused projection (Vaswani et al. 2017, section 3.2)."""

    def __init__(self, dim: int, heads: int, dropout: float, core: Core = dot_product):
        super().__init__(heads, dropout, core)
        self.in_proj = xavier_linear(dim, 3 * dim)
        self.out_proj = xavier_linear(dim, dim)

    def forward(
        self, x: Tensor, mask: Tensor | None = None, causal: bool = False, cache: KeyValueCache | None = None
    ) -> Tensor:
        """Every position reads the sequence, or with a cache the next position reads all so far.

        Args:
            x: (B, T, D); with a cache (B, 1, D).
            mask: (B, 1, 1, T) bool, True at keys that may be read; None when all may.
            causal: each position reads itself and those before it. Then ``mask`` must be None: padding that comes
                after a position is out of its reach, and what a pad itself reads is never used.
            cache: keys and values of the positions before x; those of x are appended.

        Returns:
            as x.
        """
        query, key, value = self.in_proj(x).chunk(3, -1)
        if cache is not None:
            key, value = cache.append(split_heads(key, self.heads), split_heads(value, self.heads))
        return self._read(query, key, value, mask, causal and cache is None)


class CrossAttention(_Attention):
    """Attention to the source, whose keys and values :meth:`project` computes once."""

    def __init__(self, dim: int, heads: int, dropout: float, core: Core = dot_product):
        super().__init__(heads, dropout, core)
        self.query_proj = xavier_linear(dim, dim)
        self.source_proj = xavier_linear(dim, 2 * dim)
        self.out_proj = xavier_linear(dim, dim)

    def project(self, source: Tensor) -> Projected:
        """Keys and values of the encoded source (B, S, D)."""
        key, value = self.source_proj(source).chunk(2, -1)
        return split_heads(key, self.heads), split_heads(value, self.heads)

    def forward(self, x: Tensor, source: Projected, mask: Tensor | None) -> Tensor:
        """Every position reads the source.

        Args:
            x: (B, T, D).
            source: from :meth:`project`.
            mask: (B, 1, 1, S) bool, True at real source positions; None when all are.

        Returns:
            (B, T, D).
        """
        return self._read(self.query_proj(x), *source, mask)
