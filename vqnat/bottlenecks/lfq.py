"""Lookup-free quantisation (Yu et al. 2023, MAGVIT-v2)."""

from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vqnat.bottlenecks import bits
from vqnat.bottlenecks.bottleneck import Bottleneck, Quantized
from vqnat.bottlenecks.estimator import straight_through
from vqnat.bottlenecks.full_precision import FullPrecisionLinear
from vqnat.bottlenecks.options import CommitmentConfig, SizeConfig, check, log2_of
from vqnat.bottlenecks.registry import register_bottleneck
from vqnat.bottlenecks.usage import CodeCounts


@dataclass
class LFQConfig(SizeConfig, CommitmentConfig):
    """Options of ``lfq``."""

    lfq_entropy_weight: float = field(
        default=0.1, metadata={"help": "weight of the entropy loss: sure of each vector, all codes used"}
    )
    lfq_diversity: float = field(
        default=1.0, metadata={"help": "weight, within the entropy loss, of the entropy of the batch's mean"}
    )
    lfq_temperature: float = field(
        default=0.01, metadata={"help": "temperature of the soft assignment within the entropy loss"}
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        check(
            self,
            ("lfq_entropy_weight", self.lfq_entropy_weight >= 0, "0 or more"),
            ("lfq_diversity", self.lfq_diversity >= 0, "0 or more"),
            ("lfq_temperature", self.lfq_temperature > 0, "more than 0"),
        )


def joint(probabilities: Tensor) -> Tensor:
    """Distributions (N, 2^n) over all patterns of n independent bits that are 1 with probabilities (N, n)."""
    patterns = probabilities.new_ones(len(probabilities), 1)
    for one in probabilities.unbind(-1):
        pair = torch.stack([1 - one, one], -1)  # (N, 2)
        patterns = (patterns.unsqueeze(-1) * pair.unsqueeze(1)).flatten(1)
    return patterns


@register_bottleneck("lfq", LFQConfig)
class LFQ(Bottleneck):
    """The signs of log2 K coordinates u = W z + b; the codebook is {-1, 1}^(log2 K).

        L = beta ||u - sg q||^2 + w (mean H(p(c | z)) - g H(mean p(c | z))),   p(c | z) = softmax_c(2 u.c / T)

    The posterior is a product of bits, each 1 with probability sigmoid(4 u_i / T), so its entropy is a sum. The
    second entropy is of the mean over this batch's positions: the one term that is no sum over positions. The
    linear layers are ours: the paper's encoder ends in log2 K channels.
    """

    def __init__(self, config: LFQConfig, dim: int):
        num_bits = log2_of(config)
        super().__init__(CodeCounts(config.codebook_size))
        self.config = config
        self.num_bits = num_bits
        self.down = FullPrecisionLinear(dim, num_bits)
        self.up = nn.Linear(num_bits, dim)

    def quantize(self, z: Tensor, weights: Tensor, batch: int) -> Quantized:
        u = self.down(z)  # (N, n)
        ones = u.detach() > 0
        signs = ones * 2.0 - 1  # (N, n)
        error = (u - signs).square().mean(-1)  # (N,)
        losses = {
            "commitment": (error * weights).sum() * self.config.commitment,
            "entropy": self._entropy_loss(u, weights) * self.config.lfq_entropy_weight,
        }
        return Quantized(self._output(straight_through(u, signs)), bits.to_codes(ones).unsqueeze(-1), losses)

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
        diversity = torch.special.entr(mean.clamp(min=torch.finfo(mean.dtype).tiny)).sum()
        return certainty - self.config.lfq_diversity * diversity * total

    def _output(self, signs: Tensor) -> Tensor:
        return self.up(signs.to(self.up.weight.dtype)).float()

    def embed(self, codes: Tensor) -> Tensor:
        return self._output(bits.to_bits(codes, self.num_bits) * 2 - 1)
