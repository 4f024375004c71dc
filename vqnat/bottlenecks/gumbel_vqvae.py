"""The Gumbel-softmax VQ-VAE of the image papers (Ramesh et al. 2021; public code by Karpathy and by Esser et al.)."""

import math
from dataclasses import dataclass

from torch import Tensor

from vqnat.bottlenecks.core import schedules
from vqnat.bottlenecks.core.full_precision import FullPrecisionLinear
from vqnat.bottlenecks.core.options import SizeOptions, option
from vqnat.bottlenecks.core.registry import register_bottleneck
from vqnat.bottlenecks.core.relaxed import Relaxed, RelaxedOptions, Temperatures, expected, plain_codebook


@dataclass
class GumbelVQVAEOptions(SizeOptions, RelaxedOptions):
    """Options of ``gumbel_vqvae``."""

    gumbel_kl: float = option(5e-4, "w, last weight of KL(p || uniform)", least=0)
    gumbel_kl_updates: int = option(5000, "updates over which that weight grows from 0, along half a cosine", least=0)


@register_bottleneck("gumbel_vqvae", GumbelVQVAEOptions)
class GumbelVQVAE(Relaxed):
    """Logits from a linear layer; L = w sum_j p_j log(K p_j), per position.

    T falls from 1 to 1/16 over 150k updates along half a cosine; w grows from 0 to 5e-4 over 5k ([I] the shape of
    w). The originals draw in evaluation too; here it takes argmax p.
    """

    temperatures = Temperatures(schedules.cosine, 1.0, 1 / 16, 150_000)
    loss_names = ("uniform",)

    def __init__(self, config: GumbelVQVAEOptions, dim: int):
        super().__init__(config, plain_codebook(config.codebook_size, dim))
        self.config = config
        self.to_logits = FullPrecisionLinear(dim, config.codebook_size)

    def logits(self, z: Tensor, vectors: Tensor) -> Tensor:
        logits: Tensor = self.to_logits(z)  # (N, K)
        return logits

    def kl_weight(self) -> float:
        """w at this update."""
        return schedules.cosine(self.num_updates, 0.0, self.config.gumbel_kl, self.config.gumbel_kl_updates)

    def losses(self, z: Tensor, q: Tensor, log_p: Tensor, weights: Tensor) -> dict[str, Tensor]:
        divergence = expected(log_p, log_p) + math.log(self.num_codes)  # (N,)
        return {"uniform": (divergence * weights).sum() * self.kl_weight()}

    def scalars(self) -> dict[str, float]:
        return super().scalars() | {"kl_weight": self.kl_weight()}
