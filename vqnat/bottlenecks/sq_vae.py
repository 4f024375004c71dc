"""SQ-VAE with one Gaussian variance (Takida et al. 2022, "Gaussian I")."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from vqnat.bottlenecks.core import schedules
from vqnat.bottlenecks.core.codebook import StartOptions
from vqnat.bottlenecks.core.gradient_codebook import GradientCodebook
from vqnat.bottlenecks.core.options import Rule, SizeOptions, option
from vqnat.bottlenecks.core.registry import register_bottleneck
from vqnat.bottlenecks.core.relaxed import Relaxed, RelaxedOptions, Temperatures, expected


@dataclass
class SQVAEOptions(SizeOptions, StartOptions, RelaxedOptions):
    """Options of ``sq_vae``."""

    sq_variance: float = option(
        20.0,
        "exp(rho) at first, v = 1 + exp(rho); 0: v = exp(rho), and it starts with the codebook, as the variance within "
        "the clusters of k-means: for trainings too short for the encoder to grow to v",
        least=0,
    )

    def rules(self) -> list[Rule]:
        """Random codes have no clusters whose variance rho could start as."""
        possible = self.sq_variance > 0 or self.codebook_start != "random"
        return [Rule("sq_variance", possible, "more than 0 with random codes")]


@register_bottleneck("sq_vae", SQVAEOptions)
class SQVAE(Relaxed):
    """Stochastic quantization whose learned variance v anneals itself.

        p = softmax_j(-||z - e_j||^2 / 2v),   v = 1 + exp(rho), rho = log 20 at first (``--sq-variance``)
        L = sum_j p_j log p_j + ||z - q||^2 / 2v,   per position, both summed and not averaged over dimensions

    with q the mixture of codes in training and the nearest code in evaluation. The paper's third term, the
    logarithm of the squared reconstruction error, is the image criterion's. T falls as exp(-t / 100k). The
    original starts from random codes and replaces none: ``--codebook-start random --dead-code-threshold 0``.
    """

    temperatures = Temperatures(schedules.exponential, 1.0, 0.0, 100_000)
    loss_names = ("entropy", "distance")

    def __init__(self, config: SQVAEOptions, dim: int):
        super().__init__(config, GradientCodebook(config.codebook_size, dim, config))
        self.least = 1.0 if config.sq_variance else 0.0  # of v
        self.log_variance = nn.Parameter(torch.tensor(math.log(config.sq_variance or 1.0)))  # rho

    def variance(self) -> Tensor:
        """v, a scalar."""
        return self.least + self.log_variance.exp()

    @torch.no_grad()
    def start(self, variance: float) -> None:
        if not self.least:
            self.log_variance.fill_(math.log(variance))

    def logits(self, z: Tensor, vectors: Tensor) -> Tensor:
        scores = torch.addmm(-vectors.square().sum(-1) / 2, z, vectors.t())  # (N, K), -||z - e||^2 / 2 + ||z||^2 / 2
        return scores / self.variance()

    def losses(self, z: Tensor, q: Tensor, log_p: Tensor, weights: Tensor) -> dict[str, Tensor]:
        distance = (z - q).square().sum(-1) / (2 * self.variance())  # (N,)
        return {
            "entropy": (expected(log_p, log_p) * weights).sum(),
            "distance": (distance * weights).sum(),
        }
