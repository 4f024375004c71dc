"""Transformer layers and the stack that all parts of the model share."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vqnat.kernels.dropout import dropout
from vqnat.modules.attention import Core, CrossAttention, Projected, SelfAttention, dot_product, xavier_linear
from vqnat.modules.key_value_cache import KeyValueCache, StackCache


@dataclass(frozen=True)
class StackShape:
    """Sizes of a stack: layers, width D, inner width of the feed-forward part, heads, dropout rates.

    With ``normalize_before`` each block reads a LayerNorm of its input and one more LayerNorm ends the stack;
    without, each block's output is normalized (Vaswani et al. 2017).
    """

    layers: int
    dim: int
    ffn_dim: int
    heads: int
    dropout: float
    attention_dropout: float = 0.0
    activation_dropout: float = 0.0
    normalize_before: bool = True


class TransformerLayer(nn.Module):
    """Self-attention, attention to the source (optional), feed-forward; each with a residual and a LayerNorm."""

    __call__: Callable[..., Tensor]

    def __init__(self, shape: StackShape, reads_source: bool, core: Core = dot_product):
        super().__init__()
        self.shape = shape
        self.self_norm = nn.LayerNorm(shape.dim)
        self.self_attention = SelfAttention(shape.dim, shape.heads, shape.attention_dropout, core)
        self.reads_source = reads_source
        if reads_source:
            self.source_norm = nn.LayerNorm(shape.dim)
            self.source_attention = CrossAttention(shape.dim, shape.heads, shape.attention_dropout)
        self.ffn_norm = nn.LayerNorm(shape.dim)
        self.fc1 = xavier_linear(shape.dim, shape.ffn_dim)
        self.fc2 = xavier_linear(shape.ffn_dim, shape.dim)

    def _residual(self, x: Tensor, norm: nn.LayerNorm, block: Callable[[Tensor], Tensor]) -> Tensor:
        y = block(norm(x) if self.shape.normalize_before else x)
        if self.training:
            y = dropout(y, self.shape.dropout)
        if self.shape.normalize_before:
            return x + y
        normalized: Tensor = norm(x + y)
        return normalized

    def _feed_forward(self, x: Tensor) -> Tensor:
        hidden = F.relu(self.fc1(x))  # (B, T, ffn)
        return self.fc2(dropout(hidden, self.shape.activation_dropout, self.training))

    def forward(
        self,
        x: Tensor,
        mask: Tensor | None,
        source: Projected | None = None,
        source_mask: Tensor | None = None,
        causal: bool = False,
        cache: KeyValueCache | None = None,
    ) -> Tensor:
        """x (B, T, D) -> (B, T, D); the other arguments as in :mod:`vqnat.modules.attention`."""
        x = self._residual(x, self.self_norm, lambda y: self.self_attention(y, mask, causal, cache))
        if self.reads_source:
            x = self._residual(x, self.source_norm, lambda y: self.source_attention(y, source, source_mask))
        return self._residual(x, self.ffn_norm, self._feed_forward)


class TransformerStack(nn.Module):
    """Layers, and a final LayerNorm when the layers normalize before.

    Args:
        shape: its sizes.
        reads_source: whether each layer attends to a source too.
        core: of self-attention, see :mod:`vqnat.modules.attention`.
    """

    __call__: Callable[..., Tensor]

    def __init__(self, shape: StackShape, reads_source: bool, core: Core = dot_product):
        super().__init__()
        self.shape = shape
        self.layers = nn.ModuleList(TransformerLayer(shape, reads_source, core) for _ in range(shape.layers))
        self.norm = nn.LayerNorm(shape.dim) if shape.normalize_before else nn.Identity()

    def project_source(self, source: Tensor) -> list[Projected]:
        """Keys and values of the encoded source (B, S, D) for every layer, computed once for a sentence."""
        projected = []
        for layer in self.layers:
            assert isinstance(layer, TransformerLayer)
            projected.append(layer.source_attention.project(source))
        return projected

    def new_cache(self, batch: int, length: int, like: Tensor) -> StackCache:
        """Room for keys and values of ``length`` positions of ``batch`` rows, of the type and device of ``like``."""
        heads = self.shape.heads
        return StackCache(like.new_zeros(len(self.layers), 2, batch, heads, length, self.shape.dim // heads))

    def forward(
        self,
        x: Tensor,
        mask: Tensor | None,
        source: Sequence[Projected] | None = None,
        source_mask: Tensor | None = None,
        causal: bool = False,
        caches: Sequence[KeyValueCache] | None = None,
    ) -> Tensor:
        """All positions at once, or with caches the next one.

        Args:
            x: (B, T, D); with caches (B, 1, D).
            mask: (B, 1, 1, T) bool, True at positions that may be read; None when all may.
            source: from :meth:`project_source`.
            source_mask: (B, 1, 1, S) bool, True at real source positions; None when all are.
            causal: each position reads itself and those before it.
            caches: of each layer, such as :meth:`StackCache.at` gives; x is appended to them.

        Returns:
            as x.
        """
        for index, layer in enumerate(self.layers):
            memory, cache = source[index] if source else None, caches[index] if caches else None
            x = layer(x, mask, memory, source_mask, causal, cache)
        normalized: Tensor = self.norm(x)
        return normalized


def attention_mask(real: Tensor) -> Tensor | None:
    """The padding mask of attention: (B, T) True at real positions -> (B, 1, 1, T), or None when nothing is a pad.

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

    __call__: Callable[..., Tensor]
    table: Tensor

    def __init__(self, max_length: int, dim: int):
        super().__init__()
        self.register_buffer("table", positions(max_length, dim), persistent=False)

    def forward(self, start: int, length: int) -> Tensor:
        """(length, D), positions start to start + length - 1."""
        return self.table[start : start + length]
