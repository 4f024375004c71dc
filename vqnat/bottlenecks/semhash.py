"""Improved semantic hashing (Kaiser and Bengio 2018; Roy et al. 2018, section 4.1)."""

from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from vqnat.bottlenecks import bits, schedules
from vqnat.bottlenecks.bottleneck import Bottleneck, Quantized
from vqnat.bottlenecks.estimator import straight_through
from vqnat.bottlenecks.full_precision import FullPrecisionLinear
from vqnat.bottlenecks.options import SizeConfig, check, log2_of
from vqnat.bottlenecks.registry import register_bottleneck
from vqnat.bottlenecks.usage import CodeCounts


@dataclass
class SemhashConfig(SizeConfig):
    """Options of ``semhash``."""

    semhash_noise: float = field(
        default=1.0, metadata={"help": "sigma, Gaussian noise on the logits of the bits in training; 0.5 or 1"}
    )
    semhash_discrete: float = field(
        default=0.5, metadata={"help": "probability that a sentence of training is read as bits, not as numbers"}
    )
    semhash_discrete_updates: int = field(
        default=0,
        metadata={"help": "updates over which that probability rises exponentially from its hundredth; 0: at once"},
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        check(
            self,
            ("semhash_noise", self.semhash_noise >= 0, "0 or more"),
            ("semhash_discrete", 0 <= self.semhash_discrete <= 1, "0 to 1"),
            ("semhash_discrete_updates", self.semhash_discrete_updates >= 0, "0 or more"),
        )


@register_bottleneck("semhash", SemhashConfig)
class Semhash(Bottleneck):
    """log2 K bits from a saturating sigmoid with noise; no loss, no code vectors.

        l = W z + b (+ N(0, sigma^2) in training),  y = clip(1.2 sigmoid(l) - 0.1, 0, 1),
        b = 1[y > 1/2] + y - sg y,  c = b or, in training, y,  output = W3 (W1 c + W2 (1 - c))

    In training each sentence takes b with a probability, else y; evaluation takes b.
    """

    def __init__(self, config: SemhashConfig, dim: int):
        num_bits = log2_of(config)
        super().__init__(CodeCounts(config.codebook_size))
        self.config = config
        self.num_bits = num_bits
        self.logits = FullPrecisionLinear(dim, num_bits)
        self.ones = nn.Linear(num_bits, dim)
        self.zeros = nn.Linear(num_bits, dim, bias=False)
        self.output = nn.Linear(dim, dim)

    def quantize(self, z: Tensor, weights: Tensor, batch: int) -> Quantized:
        logits = self.logits(z)  # (N, n)
        if self.training:
            logits = logits + self.config.semhash_noise * torch.randn_like(logits)
        y = (1.2 * logits.sigmoid() - 0.1).clamp(0, 1)
        hard = (y > 0.5).float()
        read = straight_through(y, hard)
        if self.training:
            discrete = torch.rand(batch, 1, 1, device=z.device) < self._probability()
            shape = (batch, len(z) // max(batch, 1), self.num_bits)
            read = torch.where(discrete, read.view(shape), y.view(shape)).flatten(0, 1)  # (N, n)
        return Quantized(self._output(read), bits.to_codes(hard).unsqueeze(-1))

    def _probability(self) -> float:
        return schedules.ramp(self.num_updates, self.config.semhash_discrete, self.config.semhash_discrete_updates)

    def _output(self, c: Tensor) -> Tensor:
        c = c.to(self.output.weight.dtype)
        return self.output(self.ones(c) + self.zeros(1 - c)).float()

    def embed(self, codes: Tensor) -> Tensor:
        return self._output(bits.to_bits(codes, self.num_bits))

    def scalars(self) -> dict[str, float]:
        return {"discrete_share": self._probability()}
