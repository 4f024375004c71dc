"""Improved semantic hashing (Kaiser and Bengio 2018; Roy et al. 2018, section 4.1)."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from vqnat.bottlenecks.core import bits, schedules
from vqnat.bottlenecks.core.bottleneck import Bottleneck, BottleneckOutput, Quantized
from vqnat.bottlenecks.core.codebook import Codebook
from vqnat.bottlenecks.core.estimator import straight_through
from vqnat.bottlenecks.core.full_precision import FullPrecisionLinear
from vqnat.bottlenecks.core.options import option
from vqnat.bottlenecks.core.registry import register_bottleneck


@dataclass
class SemhashOptions(bits.BitsOptions):
    """Options of ``semhash``."""

    semhash_noise: float = option(1.0, "sigma, Gaussian noise on the logits of the bits in training; 0.5 or 1", least=0)
    semhash_discrete: float = option(
        0.5, "probability that the decoder reads a training sentence as bits, not as numbers", least=0, most=1
    )
    semhash_discrete_updates: int = option(
        0, "updates over which that probability rises exponentially from its hundredth; 0: at once", least=0
    )


@register_bottleneck("semhash", SemhashOptions)
class Semhash(Bottleneck):
    """log2 K bits from a saturating sigmoid with noise; no loss, no code vectors.

        l = W z + b (+ N(0, sigma^2) in training),  y = clip(1.2 sigmoid(l) - 0.1, 0, 1),
        b = 1[y > 1/2] + y - sg y,  c = b or, in training, y,  output = W3 (W1 c + W2 (1 - c))

    In training each sentence takes b with a probability, else y; evaluation takes b.
    """

    draws = True

    def __init__(self, config: SemhashOptions, dim: int):
        num_bits = config.num_bits
        super().__init__(Codebook(config.codebook_size))
        self.config = config
        self.num_bits = num_bits
        self.batch = 0  # B of this forward pass: whole sentences are read one way or the other
        self.logits = FullPrecisionLinear(dim, num_bits)
        self.ones = nn.Linear(num_bits, dim)
        self.zeros = nn.Linear(num_bits, dim, bias=False)
        self.output = nn.Linear(dim, dim)

    def forward(self, z: Tensor, mask: Tensor, log_prior: Tensor | None = None) -> BottleneckOutput:
        self.batch = len(z)
        return super().forward(z, mask, log_prior)

    def quantize(self, z: Tensor, weights: Tensor) -> Quantized:
        logits = self.logits(z)  # (N, n)
        if self.training:
            logits = logits + self.config.semhash_noise * torch.randn_like(logits)
        y = (1.2 * logits.sigmoid() - 0.1).clamp(0, 1)
        hard = (y > 0.5).float()
        read = straight_through(y, hard)
        if self.training:
            discrete = torch.rand(self.batch, 1, 1, device=z.device) < self._probability()
            shape = (self.batch, len(z) // max(self.batch, 1), self.num_bits)
            read = torch.where(discrete, read.view(shape), y.view(shape)).flatten(0, 1)  # (N, n)
        return Quantized(self._output(read), bits.to_codes(hard).unsqueeze(-1))

    def assign(self, z: Tensor) -> Tensor:
        return bits.to_codes((1.2 * self.logits(z).sigmoid() - 0.1) > 0.5)

    def _probability(self) -> float:
        return schedules.ramp(self.num_updates, self.config.semhash_discrete, self.config.semhash_discrete_updates)

    def _output(self, c: Tensor) -> Tensor:
        c = c.to(self.output.weight.dtype)
        read: Tensor = self.output(self.ones(c) + self.zeros(1 - c))
        return read.float()

    def embed(self, codes: Tensor) -> Tensor:
        return self._output(bits.to_bits(codes, self.num_bits))

    def scalars(self) -> dict[str, float]:
        return {"discrete_share": self._probability()}
