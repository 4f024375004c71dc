"""Finite scalar quantization (Mentzer et al. 2023)."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from vqnat.bottlenecks.core.bottleneck import Bottleneck, Quantized
from vqnat.bottlenecks.core.codebook import Codebook
from vqnat.bottlenecks.core.estimator import straight_through
from vqnat.bottlenecks.core.full_precision import FullPrecisionLinear
from vqnat.bottlenecks.core.options import Rule, option
from vqnat.bottlenecks.core.registry import register_bottleneck

MARGIN = 1e-3  # tanh reaches the outermost levels, not only at infinity


def parse_levels(text: str) -> list[int]:
    """``7,5,5`` as numbers; an empty list if it is not a list of numbers."""
    try:
        return [int(word) for word in str(text).split(",")]
    except ValueError:
        return []


@dataclass
class FSQOptions:
    """Options of ``fsq``."""

    fsq_levels: str = option(
        "7,5,5,5,5", "levels of each coordinate, with commas; K is their product (the paper: 7,5,5,5,5 for 2^12)"
    )

    def rules(self) -> list[Rule]:
        """At least two levels each, and no more codes than elsewhere."""
        levels = parse_levels(self.fsq_levels)
        valid = bool(levels) and min(levels) >= 2 and math.prod(levels) <= 65536
        return [Rule("fsq_levels", valid, "numbers of 2 or more with commas, their product at most 65536")]


@register_bottleneck("fsq", FSQOptions)
class FSQ(Bottleneck):
    """Each of a few coordinates is bounded and rounded; the grid is the codebook.

    u = W z + b; coordinate i with L levels is bounded to f(u) = h tanh(u + s) - o, with h = (L - 1) (1 + eps) / 2
    and, for even L, o = 1/2 and s = artanh(o / h), else 0; rounded straight-through; scaled by floor(L / 2) to
    [-1, 1]. The decoder reads V times that, plus c. No loss of its own. The linear layers are ours: the paper
    bounds the encoder's own few channels.
    """

    levels: Tensor  # (d,), L
    lowest: Tensor  # (d,), steps below 0
    places: Tensor  # (d,), the place value of each coordinate in the code

    def __init__(self, config: FSQOptions, dim: int):
        levels = parse_levels(config.fsq_levels)
        super().__init__(Codebook(math.prod(levels)))
        counts = torch.tensor(levels)
        self.register_buffer("levels", counts, persistent=False)
        self.register_buffer("lowest", counts // 2, persistent=False)
        self.register_buffer("places", counts.cumprod(0) // counts, persistent=False)
        self.down = FullPrecisionLinear(dim, len(levels))
        self.up = nn.Linear(len(levels), dim)

    def coordinates(self, z: Tensor) -> Tensor:
        """Bounded coordinates (..., d) of z (..., D), before rounding, in steps."""
        half = (self.levels - 1) * (1 + MARGIN) / 2
        offset = torch.where(self.levels % 2 == 0, 0.5, 0.0)
        u: Tensor = self.down(z)
        return (u + (offset / half).atanh()).tanh() * half - offset

    def quantize(self, z: Tensor, weights: Tensor) -> Quantized:
        bounded = self.coordinates(z)  # (N, d)
        steps = bounded.detach().round()
        codes = self._codes(steps).unsqueeze(-1)  # (N, 1)
        return Quantized(self._output(straight_through(bounded, steps) / self.lowest), codes)

    def assign(self, z: Tensor) -> Tensor:
        return self._codes(self.coordinates(z).round())

    def _codes(self, steps: Tensor) -> Tensor:
        return ((steps.long() + self.lowest) * self.places).sum(-1)  # (N,)

    def _output(self, grid: Tensor) -> Tensor:
        read: Tensor = self.up(grid.to(self.up.weight.dtype))
        return read.float()

    def embed(self, codes: Tensor) -> Tensor:
        digits = codes.unsqueeze(-1) // self.places % self.levels  # (B, T, d)
        return self._output((digits - self.lowest) / self.lowest)
