"""Soft EM with m Monte-Carlo samples (Roy et al. 2018, section 3.2)."""

from dataclasses import dataclass, field

import torch
from torch import Tensor

from vqnat.bottlenecks.codebook import CodebookConfig, EMACodebook
from vqnat.bottlenecks.options import check
from vqnat.bottlenecks.quantiser import VectorQuantiser
from vqnat.bottlenecks.registry import register_bottleneck
from vqnat.kernels.nearest import log_likelihoods
from vqnat.kernels.sampling import draw, sample_posterior


@dataclass
class SoftEMConfig(CodebookConfig):
    """Options of ``soft_em``."""

    num_samples: int = field(
        default=10, metadata={"help": "m, codes sampled for each position in training; the paper uses 5 to 50"}
    )
    posterior_temperature: float = field(
        default=1.0,
        metadata={
            "help": "codes are drawn from softmax(-||z - e||^2 / T): above 1 they vary more, towards 0 soft EM becomes "
            "hard EM; the paper has 1"
        },
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        check(
            self,
            ("num_samples", self.num_samples >= 1, "1 or more"),
            ("posterior_temperature", self.posterior_temperature > 0, "more than 0"),
        )


@register_bottleneck("soft_em", SoftEMConfig)
class SoftEM(VectorQuantiser):
    """E step: m draws from softmax(-||z - e_j||^2), with replacement (eq. 9).

    The decoder reads the mean of the m code vectors (eq. 11); each drawn code takes 1/m of the vector in the
    M step; the latent predictor learns all m. The paper's posterior has a uniform prior and no temperature; both may
    be given here: softmax((-||z - e_j||^2 + log p(j)) / T).
    """

    def __init__(self, config: SoftEMConfig, dim: int):
        super().__init__(config, EMACodebook(config, dim))

    def assign(self, z: Tensor, vectors: Tensor, log_prior: Tensor | None = None) -> Tensor:
        draws, temperature = self.config.num_samples, self.config.posterior_temperature
        if log_prior is None:
            scale = temperature**-0.5  # of both, so that squared distances are divided by the temperature
            return sample_posterior(z * scale, vectors * scale, draws)  # (N, m)
        weights = log_likelihoods(z, vectors).add_(log_prior).div_(temperature).softmax(-1)  # (N, K)
        return draw(weights, 1 - torch.rand(len(z), draws, device=z.device))

    def posterior(self, z: Tensor) -> Tensor:
        return log_likelihoods(z, self.codebook.vectors()).div_(self.config.posterior_temperature).softmax(-1)
