"""Soft EM with m Monte-Carlo samples (Roy et al. 2018, section 3.2)."""

from dataclasses import dataclass, field

import torch
from torch import Tensor

from vqnat.bottlenecks.codebook import CodebookConfig, EMACodebook
from vqnat.bottlenecks.options import check
from vqnat.bottlenecks.quantiser import VectorQuantiser
from vqnat.bottlenecks.registry import register_bottleneck
from vqnat.bottlenecks.sampling import sample_posterior


@dataclass
class SoftEMConfig(CodebookConfig):
    """Options of ``soft_em``."""

    num_samples: int = field(
        default=10, metadata={"help": "m, codes sampled for each position in training; the paper uses 5 to 50"}
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        check(self, ("num_samples", self.num_samples >= 1, "1 or more"))


@register_bottleneck("soft_em", SoftEMConfig)
class SoftEM(VectorQuantiser):
    """E step: m draws from softmax(-||z - e_j||^2), no temperature, with replacement (eq. 9).

    The decoder reads the mean of the m code vectors (eq. 11); each drawn code takes 1/m of the vector in the
    M step; the latent predictor learns all m.
    """

    def __init__(self, config: SoftEMConfig, dim: int):
        super().__init__(config, EMACodebook(config, dim))

    def assign(self, z: Tensor, vectors: Tensor) -> Tensor:
        return sample_posterior(z, vectors, self.config.num_samples)  # (N, m)

    def posterior(self, z: Tensor) -> Tensor:
        vectors = self.codebook.vectors()  # (K, D)
        return torch.addmm(-vectors.square().sum(-1), z, vectors.t(), alpha=2).softmax(-1)
