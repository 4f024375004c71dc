"""SimVQ: a frozen random codebook seen through a learned linear map (Zhu et al. 2024)."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vqnat.bottlenecks.core.codebook import Codebook
from vqnat.bottlenecks.core.options import SizeOptions, codebook_weight_option
from vqnat.bottlenecks.core.registry import register_bottleneck
from vqnat.bottlenecks.core.vector_quantizer import QuantizerOptions, VectorQuantizer


@dataclass
class SimVQOptions(SizeOptions, QuantizerOptions):
    """Options of ``sim_vq``."""

    codebook_weight: float = codebook_weight_option()


class LinearCodebook(Codebook):
    """Codes E = C W: C (K, D) Gaussian and frozen, W (D, D) learned, so that every step moves all codes.

    Attributes:
        frozen: (K, D) C, with the variance 1 / D of each component.
        weight: (D, D) W.
    """

    frozen: Tensor

    def __init__(self, size: int, dim: int, on_sphere: bool):
        super().__init__(size)
        self.on_sphere = on_sphere
        self.register_buffer("frozen", torch.randn(size, dim) * dim**-0.5)
        self.weight = nn.Parameter(torch.empty(dim, dim))
        nn.init.uniform_(self.weight, -(dim**-0.5), dim**-0.5)  # as a linear layer's

    def vectors(self) -> Tensor:
        """The codes (K, D) float32, with the gradient of W."""
        codes = self.frozen @ self.weight
        return F.normalize(codes, dim=-1) if self.on_sphere else codes

    def lookup(self, codes: Tensor) -> Tensor:
        """The vectors (..., D) of codes (...), without those of all others."""
        found = F.embedding(codes, self.frozen) @ self.weight
        return F.normalize(found, dim=-1) if self.on_sphere else found


@register_bottleneck("sim_vq", SimVQOptions)
class SimVQ(VectorQuantizer):
    """``vq`` with :class:`LinearCodebook`: there is nothing to start, and no code can die alone."""

    def __init__(self, config: SimVQOptions, dim: int):
        codebook = LinearCodebook(config.codebook_size, dim, config.codebook_l2)
        super().__init__(config, codebook, config.codebook_weight)
