"""Vector quantization composed of three parts: an assignment, an estimator and a codebook."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from vqnat.bottlenecks.core.bottleneck import Bottleneck, Quantized
from vqnat.bottlenecks.core.codebook import Codebook
from vqnat.bottlenecks.core.estimator import ESTIMATORS
from vqnat.bottlenecks.core.options import commitment_option, option
from vqnat.kernels.nearest import most_likely


@dataclass
class QuantizerOptions:
    """Options of every bottleneck that puts the nearest code, or a mean of codes, in place of a vector."""

    commitment: float = commitment_option()
    estimator: str = option(
        "straight_through",
        "how the gradient passes the codes: straight_through or rotation (Fifty et al. 2024)",
        one_of=ESTIMATORS,
    )
    codebook_l2: bool = option(False, "codes and encoder vectors are unit vectors: the nearest by cosine")


class VectorQuantizer(Bottleneck):
    """Codes by :meth:`draw`, gradient by ``config.estimator``, vectors and their training by ``codebook``.

        L = beta ||z - sg q||^2 [+ w ||sg z - q||^2 where the model's optimizer trains the codes]

    as means over dimensions (van den Oord et al. 2017, eq. 3; Roy et al. 2018, eq. 2). In evaluation every
    quantizer takes the nearest code, or given a prior over codes the one of greatest posterior probability.

    Args:
        config: the quantizer's options.
        codebook: the code vectors.
        codebook_weight: w, weight of the codebook loss; None: a loss does not train the codes.
    """

    def __init__(self, config: QuantizerOptions, codebook: Codebook, codebook_weight: float | None = None):
        super().__init__(codebook)
        self.config = config
        self.codebook_weight = codebook_weight
        self.estimate = ESTIMATORS[config.estimator]

    def draw(self, z: Tensor, vectors: Tensor, log_prior: Tensor | None = None) -> Tensor:
        """In training, the codes (N, m) of z (N, D) among the vectors (K, D), given log p(code) (N, K) if any."""
        return most_likely(z, vectors, log_prior).unsqueeze(-1)  # (N, 1)

    def assign(self, z: Tensor) -> Tensor:
        return most_likely(z, self.codebook.vectors())

    def prepare(self, z: Tensor) -> Tensor:
        return F.normalize(z, dim=-1) if self.config.codebook_l2 else z

    def quantize(self, z: Tensor, weights: Tensor, log_prior: Tensor | None = None) -> Quantized:
        if not self.started:
            return self.unstarted(z, "commitment", *([] if self.codebook_weight is None else ["codebook"]))
        vectors = self.codebook.vectors()  # (K, D)
        with torch.no_grad():
            if self.training:
                codes = self.draw(z, vectors, log_prior)  # (N, m)
            else:
                codes = most_likely(z, vectors, log_prior).unsqueeze(-1)  # (N, 1)
        if self.training:
            vectors = self.codebook.look_ahead(vectors, z.detach(), codes, weights, self.accumulating)
        chosen = F.embedding_bag(codes, vectors, mode="mean")  # (N, D)

        def total(error: Tensor, weight: float) -> Tensor:
            return (error.square().mean(-1) * weights).sum() * weight

        losses = {"commitment": total(z - chosen.detach(), self.config.commitment)}
        if self.codebook_weight is not None:
            losses["codebook"] = total(z.detach() - chosen, self.codebook_weight)
        return Quantized(self.estimate(z, chosen), codes, losses)

    def embed(self, codes: Tensor) -> Tensor:
        return self.codebook.lookup(codes)
