"""Gaussian mixture vector quantization with an aggregated categorical posterior (Yan et al. 2024).

Marks: [R] quoted by the paper's reviewers, [I] inferred by us; the text itself was not at hand. Two reviewers
dispute that the paper's ALBO bounds the likelihood: a differential entropy in it can change sign. [R]
"""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from vqnat.bottlenecks.core import schedules
from vqnat.bottlenecks.core.codebook import StartOptions
from vqnat.bottlenecks.core.full_precision import FullPrecisionLinear
from vqnat.bottlenecks.core.gradient_codebook import GradientCodebook
from vqnat.bottlenecks.core.options import SizeOptions, option
from vqnat.bottlenecks.core.registry import register_bottleneck
from vqnat.bottlenecks.core.relaxed import LEAST_VARIANCE, Relaxed, RelaxedOptions, Temperatures


@dataclass
class GMVQOptions(SizeOptions, StartOptions, RelaxedOptions):
    """Options of ``gm_vq``."""

    gm_distance: float = option(0.25, "gamma, weight of E ||z - mu_c||^2 (mean over dimensions)", least=0)
    gm_entropy: float = option(
        1.0, "beta, weight of KL(mean posterior || uniform); GM-VQ: 1, GM-VQ + entropy: more than 1", least=0
    )


@register_bottleneck("gm_vq", GMVQOptions)
class GMVQ(Relaxed):
    """Codes are the means mu_c of Gaussians; the encoder also says how sharp each dimension is.

        w~ = softplus(A z + b)                                                   (15) [I]
        p = softmax_c(-1/2 sum_l w~_l (z_l - mu_cl)^2)                           (16-17) [I]
        read = y M + s eps in training,  s^2 = ||z - y M||^2 / 2D                (18) [R], with y for c [I]
        L = gamma sum_c p_c ||z - mu_c||^2 / D + beta KL(q_B || uniform)         (13-14) [R form, I weights]

    y is the Gumbel-softmax sample, M the means (K, D), q_B the mean of p over this batch's real positions ([I]
    over positions, not only examples): the one term that is no sum over positions. In (18) the paper divides by
    the prior's variance, here 1 [I]. The distance is a mean over dimensions, as every such loss here: the
    paper's gamma is ours / D. T falls from 2 to 0.1 along half a cosine [I]. The paper starts by k-means and
    replaces no code (``--dead-code-threshold 0``). With the means, the sharpness starts as that of the Gaussian
    mixture that k-means fits: A = 0, w~ = 1 / variance within clusters [I]. Starting from w~ near 1, posteriors
    stay as broad as the encoder's vectors are close for thousands of updates, and codes say little.
    """

    temperatures = Temperatures(schedules.cosine, 2.0, 0.1, 50_000)
    loss_names = ("distance", "uniform")

    def __init__(self, config: GMVQOptions, dim: int):
        super().__init__(config, GradientCodebook(config.codebook_size, dim, config))
        self.distance_weight, self.entropy_weight = config.gm_distance, config.gm_entropy
        self.sharpness = FullPrecisionLinear(dim, dim)

    def logits(self, z: Tensor, vectors: Tensor) -> Tensor:
        w = F.softplus(self.sharpness(z))  # (N, D)
        # The square multiplied out: no (N, K, D) tensor; sum w z^2 is the same for all codes.
        return (w * z) @ vectors.t() - w @ vectors.square().t() / 2  # (N, K)

    def sample(self, z: Tensor, mixed: Tensor) -> Tensor:
        variance = (z - mixed).square().mean(-1, keepdim=True) / 2  # (N, 1)
        return mixed + variance.clamp(min=LEAST_VARIANCE).sqrt() * torch.randn_like(mixed)

    def losses(self, z: Tensor, q: Tensor, log_p: Tensor, weights: Tensor) -> dict[str, Tensor]:
        vectors = self.codebook.vectors()
        p = log_p.exp()  # (N, K), the one such tensor here
        # E ||z - mu||^2 = ||z||^2 - 2 z E mu + E ||mu||^2
        distance = z.square().sum(-1) - 2 * (z * (p @ vectors)).sum(-1) + p @ vectors.square().sum(-1)  # (N,)
        distance = distance / z.shape[-1]
        total = weights.sum()
        mean = weights @ p / total.clamp(min=1)  # (K,), q_B
        # xlogy has an infinite slope at 0, which a code of probability 0 must not turn into nan
        divergence = torch.xlogy(mean, mean.clamp(min=torch.finfo(mean.dtype).tiny) * self.num_codes).sum()
        return {
            "distance": (distance * weights).sum() * self.distance_weight,
            "uniform": divergence * total * self.entropy_weight,
        }

    @torch.no_grad()
    def start(self, variance: float) -> None:
        self.sharpness.weight.zero_()
        # the inverse of softplus at 1 / variance
        self.sharpness.bias.fill_(1 / variance + math.log(-math.expm1(-1 / variance)))
