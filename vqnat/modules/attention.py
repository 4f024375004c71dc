"""Multi-head attention, batch first, with the two caches that decoding needs."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vqnat.modules.linear import Linear


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


class SelfAttention(nn.Module):
    """Self-attention with one fused projection (Vaswani et al. 2017, section 3.2)."""

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
        query, key, value = (_split(part, self.heads) for part in self.in_proj(x).chunk(3, -1))
        rate = self.dropout if self.training else 0.0
        x = F.scaled_dot_product_attention(query, key, value, attend, dropout_p=rate, is_causal=causal)
        return self.out_proj(_merge(x))

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

    def extend(self, x: Tensor, past: Tensor) -> tuple[Tensor, Tensor]:
        """As :meth:`step`, as a function without a write: for graphs that are exported.

        Args:
            x: (B, 1, D), the vector at the next position.
            past: (2, B, H, T, D / H), keys and values so far; T may be 0.

        Returns:
            The output (B, 1, D), and this position's key and value (2, B, H, 1, D / H).
        """
        query, key, value = (_split(part, self.heads) for part in self.in_proj(x).chunk(3, -1))
        present = torch.stack([key, value])
        keys, values = torch.cat([past, present], 3)
        return self.out_proj(_merge(F.scaled_dot_product_attention(query, keys, values))), present


class CrossAttention(nn.Module):
    """Attention to the source; keys and values of a source are computed once by :meth:`project`."""

    def __init__(self, dim: int, heads: int, dropout: float):
        super().__init__()
        self.heads, self.dropout = heads, dropout
        self.query_proj = _linear(dim, dim)
        self.source_proj = _linear(dim, 2 * dim)
        self.out_proj = _linear(dim, dim)

    def project(self, source: Tensor) -> Tensor:
        """Keys and values (2, B, H, S, D / H) of the encoded source (B, S, D)."""
        return torch.stack([_split(part, self.heads) for part in self.source_proj(source).chunk(2, -1)])

    def forward(self, x: Tensor, source: Tensor, attend: Tensor | None) -> Tensor:
        """
        Args:
            x: (B, T, D).
            source: (2, B, H, S, D / H) from :meth:`project`.
            attend: (B, 1, 1, S) bool, True at real source positions; None when all are.
        """
        query = _split(self.query_proj(x), self.heads)
        rate = self.dropout if self.training else 0.0
        x = F.scaled_dot_product_attention(query, source[0], source[1], attend, dropout_p=rate)
        return self.out_proj(_merge(x))
