"""Pre-norm Transformer layers and the stack that all parts of the model share."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vqnat.modules.attention import CrossAttention, SelfAttention, _linear


@dataclass(frozen=True)
class StackShape:
    """Sizes of a stack: layers, width D, inner width of the feed-forward part, heads, dropout rates."""

    layers: int
    dim: int
    ffn_dim: int
    heads: int
    dropout: float
    attention_dropout: float = 0.0
    activation_dropout: float = 0.0


class TransformerLayer(nn.Module):
    """x + self-attention, x + attention to the source (optional), x + feed-forward; each reads a LayerNorm."""

    def __init__(self, shape: StackShape, reads_source: bool):
        super().__init__()
        self.shape = shape
        self.self_norm = nn.LayerNorm(shape.dim)
        self.self_attention = SelfAttention(shape.dim, shape.heads, shape.attention_dropout)
        self.reads_source = reads_source
        if reads_source:
            self.source_norm = nn.LayerNorm(shape.dim)
            self.source_attention = CrossAttention(shape.dim, shape.heads, shape.attention_dropout)
        self.ffn_norm = nn.LayerNorm(shape.dim)
        self.fc1 = _linear(shape.dim, shape.ffn_dim)
        self.fc2 = _linear(shape.ffn_dim, shape.dim)

    def _drop(self, x: Tensor) -> Tensor:
        return F.dropout(x, self.shape.dropout, self.training) if self.training else x

    def _rest(self, x: Tensor, source: Tensor | None, attend_source: Tensor | None) -> Tensor:
        if self.reads_source:
            x = x + self._drop(self.source_attention(self.source_norm(x), source, attend_source))
        hidden = F.relu(self.fc1(self.ffn_norm(x)))  # (B, T, ffn)
        hidden = F.dropout(hidden, self.shape.activation_dropout, self.training)
        return x + self._drop(self.fc2(hidden))

    def forward(
        self,
        x: Tensor,
        attend: Tensor | None,
        source: Tensor | None = None,
        attend_source: Tensor | None = None,
        causal: bool = False,
    ) -> Tensor:
        """x (B, T, D) -> (B, T, D); the other arguments as in :mod:`vqnat.modules.attention`."""
        x = x + self._drop(self.self_attention(self.self_norm(x), attend, causal))
        return self._rest(x, source, attend_source)

    def step(self, x: Tensor, cache: Tensor, position: int, source: Tensor, attend_source: Tensor | None) -> Tensor:
        """One position (B, 1, D) of the causal layer, with its cache of keys and values."""
        x = x + self.self_attention.step(self.self_norm(x), cache, position)
        return self._rest(x, source, attend_source)


class TransformerStack(nn.Module):
    """Layers and a final LayerNorm."""

    def __init__(self, shape: StackShape, reads_source: bool):
        super().__init__()
        self.shape = shape
        self.layers = nn.ModuleList(TransformerLayer(shape, reads_source) for _ in range(shape.layers))
        self.norm = nn.LayerNorm(shape.dim)

    def project_source(self, source: Tensor) -> list[Tensor]:
        """Keys and values of the encoded source (B, S, D) for every layer, computed once for a sentence."""
        return [layer.source_attention.project(source) for layer in self.layers]

    def forward(
        self,
        x: Tensor,
        attend: Tensor | None,
        source: list[Tensor] | None = None,
        attend_source: Tensor | None = None,
        causal: bool = False,
    ) -> Tensor:
        """x (B, T, D) -> (B, T, D)."""
        for index, layer in enumerate(self.layers):
            x = layer(x, attend, source[index] if source else None, attend_source, causal)
        return self.norm(x)

    def new_cache(self, batch: int, length: int, like: Tensor) -> Tensor:
        """Room for keys and values of ``length`` positions: (layers, 2, B, H, length, D / H)."""
        heads = self.shape.heads
        return like.new_zeros(len(self.layers), 2, batch, heads, length, self.shape.dim // heads)

    def step(
        self, x: Tensor, cache: Tensor, position: int, source: list[Tensor], attend_source: Tensor | None
    ) -> Tensor:
        """One position (B, 1, D) -> (B, 1, D) of the causal stack."""
        for index, layer in enumerate(self.layers):
            x = layer.step(x, cache[index], position, source[index], attend_source)
        return self.norm(x)


def attend_mask(real: Tensor) -> Tensor | None:
    """(B, T) True at real positions -> (B, 1, 1, T) for attention, or None when nothing is a pad.

    Asking whether there are pads costs a look at the device, so on accelerators the mask is always kept.
    """
    if real.device.type == "cpu" and bool(real.all()):
        return None
    return real[:, None, None, :]


def positions(length: int, dim: int, device: torch.device | None = None) -> Tensor:
    """Sinusoidal positions (length, dim): sines in the first half, cosines in the second (float32).

    Vaswani et al. 2017, section 3.5, with the two halves side by side.
    """
    half = dim // 2
    rates = torch.exp(torch.arange(half, device=device) * (-9.210340371976184 / max(half - 1, 1)))  # ln 10000
    angles = torch.arange(length, device=device).unsqueeze(-1) * rates  # (length, half)
    return F.pad(torch.cat([angles.sin(), angles.cos()], -1), (0, dim % 2))


class SinusoidalPositions(nn.Module):
    """A table of positions, made once for the longest sequence."""

    def __init__(self, max_length: int, dim: int):
        super().__init__()
        self.register_buffer("table", positions(max_length, dim), persistent=False)

    def forward(self, start: int, length: int) -> Tensor:
        """(length, D), positions start to start + length - 1."""
        return self.table[start : start + length]
