"""Multi-head attention, batch first, with the two caches that decoding needs."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vqnat.modules.linear import Linear

Projected = tuple[Tensor, Tensor]  # keys and values of a source, each (B, H, S, D / H)


def _linear(inputs: int, outputs: int) -> Linear:
    layer = Linear(inputs, outputs)
    nn.init.xavier_uniform_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer


def _split(x: Tensor, heads: int) -> Tensor:
    """(B, T, D) -> (B, H, T, D / H)"""
    return x.unflatten(-1, (heads, -1)).transpose(1, 2)


def _merge(x: Tensor) -> Tensor:
    """(B, H, T, D / H) -> (B, T, D)"""
    return x.transpose(1, 2).flatten(2)


def dot_product(
    query: Tensor, key: Tensor, value: Tensor, heads: int, attend: Tensor | None = None, rate: float = 0.0, **how: bool
) -> Tensor:
    """What queries read: softmax(q k / sqrt(D / H)) v of each head (Vaswani et al. 2017, section 3.2.1).

    Args:
        query: (B, T, D).
        key: (B, S, D), or split into heads (B, H, S, D / H).
        value: as ``key``.
        heads: H.
        attend: (B, 1, 1, S) bool, True at keys that may be read; None when all may.
        rate: of dropout.
        how: ``is_causal``.

    Returns:
        (B, T, D).
    """
    key, value = (_split(part, heads) if part.dim() == 3 else part for part in (key, value))
    return _merge(F.scaled_dot_product_attention(_split(query, heads), key, value, attend, dropout_p=rate, **how))


class SelfAttention(nn.Module):
    """Self-attention with one fused projection (Vaswani et al. 2017, section 3.2)."""

    core = staticmethod(dot_product)  # an export puts an operator of the runtime's here

    def __init__(self, dim: int, heads: int, dropout: float):
        super().__init__()
        self.heads, self.dropout = heads, dropout
        self.in_proj = _linear(dim, 3 * dim)
        self.out_proj = _linear(dim, dim)

    def forward(self, x: Tensor, attend: Tensor | None = None, causal: bool = False) -> Tensor:
        """
        Args:
            x: (B, T, D).
            attend: (B, 1, 1, T) bool, True at keys that may be read; None when all may.
            causal: each position reads itself and what is before it (then ``attend`` must be None: later pads
                are out of reach, and a pad's own output is never used).
        """
        query, key, value = self.in_proj(x).chunk(3, -1)
        rate = self.dropout if self.training else 0.0
        return self.out_proj(self.core(query, key, value, self.heads, attend, rate, is_causal=causal))

    def step(self, x: Tensor, cache: Tensor, position: int) -> Tensor:
        """One position of causal self-attention.

        Args:
            x: (B, 1, D), the vector at ``position``.
            cache: (2, B, H, T_max, D / H), keys and values so far; this position is written into it.
            position: index of x in the sequence.
        """
        query, key, value = (_split(part, self.heads) for part in self.in_proj(x).chunk(3, -1))
        cache[0, :, :, position] = key[:, :, 0]
        cache[1, :, :, position] = value[:, :, 0]
        keys, values = cache[0, :, :, : position + 1], cache[1, :, :, : position + 1]
        return self.out_proj(_merge(F.scaled_dot_product_attention(query, keys, values)))

    def extend(self, x: Tensor, past: Sequence[Tensor]) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """As :meth:`step`, as a function without a write: for graphs that are exported.

        Args:
            x: (B, 1, D), the vector at the next position.
            past: keys and values so far, each (B, H, T, D / H); T may be 0.

        Returns:
            The output (B, 1, D), and keys and values with this position's.
        """
        query, key, value = self.in_proj(x).chunk(3, -1)
        # Of one position, so that a head's part needs no transposing.
        key, value = (part.view(x.shape[0], self.heads, 1, -1) for part in (key, value))
        keys, values = torch.cat([past[0], key], 2), torch.cat([past[1], value], 2)
        return self.out_proj(self.core(query, keys, values, self.heads)), (keys, values)


class CrossAttention(nn.Module):
    """Attention to the source; keys and values of a source are computed once by :meth:`project`."""

    core = staticmethod(dot_product)

    def __init__(self, dim: int, heads: int, dropout: float):
        super().__init__()
        self.heads, self.dropout = heads, dropout
        self.query_proj = _linear(dim, dim)
        self.source_proj = _linear(dim, 2 * dim)
        self.out_proj = _linear(dim, dim)

    def project(self, source: Tensor) -> Projected:
        """Keys and values of the encoded source (B, S, D)."""
        key, value = self.source_proj(source).chunk(2, -1)
        return _split(key, self.heads), _split(value, self.heads)

    def forward(self, x: Tensor, source: Projected, attend: Tensor | None) -> Tensor:
        """
        Args:
            x: (B, T, D).
            source: from :meth:`project`.
            attend: (B, 1, 1, S) bool, True at real source positions; None when all are.
        """
        query, (key, value) = self.query_proj(x), source
        rate = self.dropout if self.training else 0.0
        return self.out_proj(self.core(query, key, value, self.heads, attend, rate))
