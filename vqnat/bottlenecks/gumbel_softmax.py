"""Gumbel-softmax as in the first latent Transformers (Kaiser et al. 2018; Roy et al. 2018, section 4.1)."""

import random
from dataclasses import dataclass

from torch import Tensor

from vqnat.bottlenecks.core import schedules
from vqnat.bottlenecks.core.full_precision import FullPrecisionLinear
from vqnat.bottlenecks.core.options import SizeOptions, option
from vqnat.bottlenecks.core.registry import register_bottleneck
from vqnat.bottlenecks.core.relaxed import Relaxed, RelaxedOptions, Temperatures, plain_codebook


@dataclass
class GumbelSoftmaxOptions(SizeOptions, RelaxedOptions):
    """Options of ``gumbel_softmax``."""

    gumbel_noise: float = option(0.5, "a, the last scale of the Gumbel noise", least=0)
    gumbel_noise_updates: int = option(
        30000, "updates over which the noise grows exponentially from a hundredth of that", least=0
    )
    gumbel_warm_share: float = option(
        0.1, "share of updates whose temperature is drawn from 0.5 to 1 instead", least=0, most=1
    )


@register_bottleneck("gumbel_softmax", GumbelSoftmaxOptions)
class GumbelSoftmax(Relaxed):
    """Logits from a linear layer; no loss of its own.

    The noise grows to a = 0.5 over 30k updates, T falls from 1.2 to 0.2 over 150k, and one update in ten has
    T ~ U(0.5, 1). That draw is seeded by the update's number, so that replicas and a resumed training agree.
    """

    temperatures = Temperatures(schedules.linear, 1.2, 0.2, 150_000)

    def __init__(self, config: GumbelSoftmaxOptions, dim: int):
        super().__init__(config, plain_codebook(config.codebook_size, dim))
        self.config = config
        self.to_logits = FullPrecisionLinear(dim, config.codebook_size)

    def logits(self, z: Tensor, vectors: Tensor) -> Tensor:
        logits: Tensor = self.to_logits(z)  # (N, K)
        return logits

    def temperature(self) -> float:
        numbers = random.Random(self.num_updates)
        warm, drawn = numbers.random() < self.config.gumbel_warm_share, numbers.uniform(0.5, 1)
        return drawn if warm else super().temperature()

    def noise_scale(self) -> float:
        return schedules.ramp(self.num_updates, self.config.gumbel_noise, self.config.gumbel_noise_updates)

    def scalars(self) -> dict[str, float]:
        return super().scalars() | {"gumbel_noise": self.noise_scale()}
