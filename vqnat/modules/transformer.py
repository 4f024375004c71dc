"""Transformer layers and the stack that all parts of the model share."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vqnat.modules.attention import CrossAttention, Projected, SelfAttention, _linear
from vqnat.modules.dropout import dropout
from vqnat.modules.local_attention import LocalSelfAttention


@dataclass(frozen=True)
class StackShape:
    """Sizes of a stack: layers, width D, inner width of the feed-forward part, heads, dropout rates.

    With ``normalize_before`` each block reads a LayerNorm of its input and one more LayerNorm ends the stack;
    without, each block's output is normalised (Vaswani et al. 2017). With ``local_block`` self-attention is causal
    and local, in blocks of so many positions.
    """

    layers: int
    dim: int
    ffn_dim: int
    heads: int
    dropout: float
    attention_dropout: float = 0.0
    activation_dropout: float = 0.0
    normalize_before: bool = True
    local_block: int = 0


class TransformerLayer(nn.Module):
    """Self-attention, attention to the source (optional), feed-forward; each with a residual and a LayerNorm."""

    def __init__(self, shape: StackShape, reads_source: bool):
        super().__init__()
        self.shape = shape
        self.self_norm = nn.LayerNorm(shape.dim)
        if shape.local_block:
            self.self_attention = LocalSelfAttention(shape.dim, shape.heads, shape.attention_dropout, shape.local_block)
        else:
            self.self_attention = SelfAttention(shape.dim, shape.heads, shape.attention_dropout)
        self.reads_source = reads_source
        if reads_source:
            self.source_norm = nn.LayerNorm(shape.dim)
            self.source_attention = CrossAttention(shape.dim, shape.heads, shape.attention_dropout)
        self.ffn_norm = nn.LayerNorm(shape.dim)
        self.fc1 = _linear(shape.dim, shape.ffn_dim)
        self.fc2 = _linear(shape.ffn_dim, shape.dim)

    def _residual(self, x: Tensor, norm: nn.LayerNorm, block: Callable[[Tensor], Tensor]) -> Tensor:
        y = block(norm(x) if self.shape.normalize_before else x)
        if self.training:
            y = dropout(y, self.shape.dropout)
        return x + y if self.shape.normalize_before else norm(x + y)

    def _feed_forward(self, x: Tensor) -> Tensor:
        hidden = F.relu(self.fc1(x))  # (B, T, ffn)
        return self.fc2(dropout(hidden, self.shape.activation_dropout, self.training))

    def _rest(self, x: Tensor, source: Projected | None, attend_source: Tensor | None) -> Tensor:
        if self.reads_source:
            x = self._residual(x, self.source_norm, lambda y: self.source_attention(y, source, attend_source))
        return self._residual(x, self.ffn_norm, self._feed_forward)

    def forward(
        self,
        x: Tensor,
        attend: Tensor | None,
        source: Projected | None = None,
        attend_source: Tensor | None = None,
        causal: bool = False,
    ) -> Tensor:
        """x (B, T, D) -> (B, T, D); the other arguments as in :mod:`vqnat.modules.attention`."""
        x = self._residual(x, self.self_norm, lambda y: self.self_attention(y, attend, causal))
        return self._rest(x, source, attend_source)

    def step(
        self,
        x: Tensor,
        cache: Tensor,
        position: int,
        source: Projected | None = None,
        attend_source: Tensor | None = None,
    ) -> Tensor:
        """One position (B, 1, D) of the causal layer, with its cache of keys and values."""
        x = self._residual(x, self.self_norm, lambda y: self.self_attention.step(y, cache, position))
        return self._rest(x, source, attend_source)

    def extend(
        self, x: Tensor, past: Sequence[Tensor], source: Projected, attend_source: Tensor | None
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """As :meth:`step`, without writing: see :meth:`SelfAttention.extend`."""
        found = []

        def attend(y: Tensor) -> Tensor:
            y, present = self.self_attention.extend(y, past)
            found.append(present)
            return y

        x = self._residual(x, self.self_norm, attend)
        return self._rest(x, source, attend_source), found[0]


class TransformerStack(nn.Module):
    """Layers, and a final LayerNorm when the layers normalise before."""

    def __init__(self, shape: StackShape, reads_source: bool):
        super().__init__()
        self.shape = shape
        self.layers = nn.ModuleList(TransformerLayer(shape, reads_source) for _ in range(shape.layers))
        self.norm = nn.LayerNorm(shape.dim) if shape.normalize_before else nn.Identity()

    def project_source(self, source: Tensor) -> list[Projected]:
        """Keys and values of the encoded source (B, S, D) for every layer, computed once for a sentence."""
        return [layer.source_attention.project(source) for layer in self.layers]

    def forward(
        self,
        x: Tensor,
        attend: Tensor | None,
        source: list[Projected] | None = None,
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
        self,
        x: Tensor,
        cache: Tensor,
        position: int,
        source: list[Projected] | None = None,
        attend_source: Tensor | None = None,
    ) -> Tensor:
        """One position (B, 1, D) -> (B, 1, D) of the causal stack."""
        for index, layer in enumerate(self.layers):
            x = layer.step(x, cache[index], position, source[index] if source else None, attend_source)
        return self.norm(x)

    def extend(
        self, x: Tensor, past: Sequence[Tensor], source: Sequence[Tensor], attend_source: Tensor | None
    ) -> tuple[Tensor, list[Tensor]]:
        """As :meth:`step`, without writing: for graphs that are exported.

        Args:
            x: (B, 1, D).
            past: keys and values (B, H, T, D / H) so far, of one layer after the other: 2 * layers of them.
            source: keys and values (B, H, S, D / H) of the source, in the same order.
            attend_source: (B, 1, 1, S).

        Returns:
            x (B, 1, D), and ``past`` with this position's.
        """
        found = []
        for index, layer in enumerate(self.layers):
            own = slice(2 * index, 2 * index + 2)
            x, present = layer.extend(x, past[own], tuple(source[own]), attend_source)
            found.extend(present)
        return self.norm(x), found


def attend_mask(real: Tensor) -> Tensor | None:
    """(B, T) True at real positions -> (B, 1, 1, T) for attention, or None when nothing is a pad.

    Asking whether there are pads costs a look at the device, so on accelerators the mask is always kept; so it is
    in a compiled or exported graph, which must hold for batches with and without pads.
    """
    if real.device.type == "cpu" and not torch.compiler.is_compiling() and bool(real.all()):
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
