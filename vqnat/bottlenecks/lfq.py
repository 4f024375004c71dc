"""Lookup-free quantization (Yu et al. 2023, MAGVIT-v2)."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vqnat.bottlenecks.core import bits
from vqnat.bottlenecks.core.bottleneck import Bottleneck, Quantized
from vqnat.bottlenecks.core.codebook import Codebook
from vqnat.bottlenecks.core.estimator import straight_through
from vqnat.bottlenecks.core.full_precision import FullPrecisionLinear
from vqnat.bottlenecks.core.options import commitment_option, option
from vqnat.bottlenecks.core.registry import register_bottleneck


@dataclass
class LFQOptions(bits.BitsOptions):
    """Options of ``lfq``."""

    commitment: float = commitment_option()
    lfq_entropy_weight: float = option(
        0.1, "weight of the entropy loss: each vector sure of its code, all codes used", least=0
    )
    lfq_diversity: float = option(1.0, "weight, within the entropy loss, of the entropy of the batch's mean", least=0)
    lfq_temperature: float = option(0.01, "temperature of the soft assignment within the entropy loss", above=0)


def joint(probabilities: Tensor) -> Tensor:
    """Distributions (N, 2^n) over all patterns of n independent bits that are 1 with probabilities (N, n)."""
    patterns = probabilities.new_ones(len(probabilities), 1)
    for one in probabilities.unbind(-1):
        pair = torch.stack([1 - one, one], -1)  # (N, 2)
        patterns = (patterns.unsqueeze(-1) * pair.unsqueeze(1)).flatten(1)
    return patterns


@register_bottleneck("lfq", LFQOptions)
class LFQ(Bottleneck):
    """The signs of log2 K coordinates u = W z + b; the codebook is {-1, 1}^(log2 K).

        L = beta ||u - sg q||^2 + w (mean H(p(c | z)) - g H(mean p(c | z))),   p(c | z) = softmax_c(2 u.c / T)

    The posterior is a product of bits, each 1 with probability sigmoid(4 u_i / T), so its entropy is a sum. The
    second entropy is of the mean over this batch's positions: the one term that is no sum over positions. The
    linear layers are ours: the paper's encoder ends in log2 K channels.
    """

    def __init__(self, config: LFQOptions, dim: int):
        super().__init__(Codebook(config.codebook_size))
        self.config = config
        self.num_bits = config.num_bits
        self.down = FullPrecisionLinear(dim, self.num_bits)
        self.up = nn.Linear(self.num_bits, dim)

    def quantize(self, z: Tensor, weights: Tensor) -> Quantized:
        u = self.down(z)  # (N, n)
        ones = u.detach() > 0
        signs = ones * 2.0 - 1  # (N, n)
        error = (u - signs).square().mean(-1)  # (N,)
        losses = {
            "commitment": (error * weights).sum() * self.config.commitment,
            "entropy": self._entropy_loss(u, weights) * self.config.lfq_entropy_weight,
        }
        return Quantized(self._output(straight_through(u, signs)), bits.to_codes(ones).unsqueeze(-1), losses)

    def assign(self, z: Tensor) -> Tensor:
        return bits.to_codes(self.down(z) > 0)

    def _entropy_loss(self, u: Tensor, weights: Tensor) -> Tensor:
        """The entropy loss of u (N, n), times the number of positions."""
        logits = 4 * u / self.config.lfq_temperature  # (N, n)
        probabilities = logits.sigmoid()
        # H of a bit from its logit: softplus(l) - p l, finite at any l
        certainty = ((F.softplus(logits) - probabilities * logits).sum(-1) * weights).sum()
        total = weights.sum()
        # Two halves of the bits and one matrix product: no (N, K) tensor.
        half = self.num_bits // 2
        first = joint(probabilities[:, :half]) * weights.unsqueeze(-1)  # (N, 2^half)
        mean = first.t() @ joint(probabilities[:, half:]) / total.clamp(min=1)  # (2^half, 2^(n - half))
        # entr has an infinite slope at 0, which a pattern of probability 0 must not turn into nan
        diversity: Tensor = torch.special.entr(mean.clamp(min=torch.finfo(mean.dtype).tiny)).sum()
        return certainty - self.config.lfq_diversity * diversity * total

    def _output(self, signs: Tensor) -> Tensor:
        read: Tensor = self.up(signs.to(self.up.weight.dtype))
        return read.float()

    def embed(self, codes: Tensor) -> Tensor:
        return self._output(bits.to_bits(codes, self.num_bits) * 2 - 1)
