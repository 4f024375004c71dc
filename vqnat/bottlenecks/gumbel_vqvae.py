"""The Gumbel-softmax VQ-VAE of the image papers (Ramesh et al. 2021; public code by Karpathy and by Esser et al.)."""

import math
from dataclasses import dataclass, field

from torch import Tensor

from vqnat.bottlenecks import schedules
from vqnat.bottlenecks.full_precision import FullPrecisionLinear
from vqnat.bottlenecks.options import SizeConfig, check
from vqnat.bottlenecks.registry import register_bottleneck
from vqnat.bottlenecks.relaxed import Relaxed, RelaxedConfig, Temperatures, expected, plain_codebook


@dataclass
class GumbelVQVAEConfig(SizeConfig, RelaxedConfig):
    """Options of ``gumbel_vqvae``."""

    gumbel_kl: float = field(default=5e-4, metadata={"help": "w, last weight of KL(p || uniform)"})
    gumbel_kl_updates: int = field(
        default=5000, metadata={"help": "updates over which that weight grows from 0, along half a cosine"}
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        check(
            self,
            ("gumbel_kl", self.gumbel_kl >= 0, "0 or more"),
            ("gumbel_kl_updates", self.gumbel_kl_updates >= 0, "0 or more"),
        )


@register_bottleneck("gumbel_vqvae", GumbelVQVAEConfig)
class GumbelVQVAE(Relaxed):
    """Logits from a linear layer; L = w sum_j p_j log(K p_j), per position.

    T falls from 1 to 1/16 over 150k updates along half a cosine; w grows from 0 to 5e-4 over 5k ([I] the shape of
    w). The originals draw in evaluation too; here it takes argmax p.
    """

    temperatures = Temperatures(schedules.cosine, 1.0, 1 / 16, 150_000)

    def __init__(self, config: GumbelVQVAEConfig, dim: int):
        super().__init__(config, plain_codebook(config.codebook_size, dim))
        self.to_logits = FullPrecisionLinear(dim, config.codebook_size)

    def logits(self, z: Tensor, vectors: Tensor) -> Tensor:
        return self.to_logits(z)

    def kl_weight(self) -> float:
        """w at this update."""
        return schedules.cosine(self.num_updates, 0.0, self.config.gumbel_kl, self.config.gumbel_kl_updates)

    def losses(self, z: Tensor, q: Tensor, log_p: Tensor, weights: Tensor) -> dict[str, Tensor]:
        divergence = expected(log_p, log_p) + math.log(self.num_codes)  # (N,)
        return {"uniform": (divergence * weights).sum() * self.kl_weight()}

    def scalars(self) -> dict[str, float]:
        return super().scalars() | {"kl_weight": self.kl_weight()}
