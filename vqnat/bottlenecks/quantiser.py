"""Vector quantisation composed of three things: an assignment, an estimator and a codebook."""

from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor

from vqnat.bottlenecks.bottleneck import Bottleneck, Quantized
from vqnat.bottlenecks.estimator import ESTIMATORS
from vqnat.bottlenecks.options import CommitmentConfig, check
from vqnat.bottlenecks.start import Codebook
from vqnat.kernels.nearest import most_likely, nearest


@dataclass
class QuantiserConfig(CommitmentConfig):
    """Options of every bottleneck that puts the nearest code, or a mean of codes, in place of a vector."""

    estimator: str = field(
        default="straight_through",
        metadata={"help": "how the gradient passes the codes: straight_through or rotation (Fifty et al. 2024)"},
    )
    codebook_l2: bool = field(
        default=False, metadata={"help": "codes and encoder vectors are unit vectors: the nearest by cosine"}
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        check(self, ("estimator", self.estimator in ESTIMATORS, ", ".join(ESTIMATORS)))


class VectorQuantiser(Bottleneck):
    """Codes by :meth:`assign`, gradient by ``config.estimator``, vectors and their training by ``codebook``.

        L = beta ||z - sg q||^2 [+ w ||sg z - q||^2 where the model's optimizer trains the codes]

    as means over dimensions (van den Oord et al. 2017, eq. 3; Roy et al. 2018, eq. 2). In evaluation every
    quantiser takes the nearest code, or given a prior over codes the one of the greatest posterior probability.
    """

    def __init__(self, config: QuantiserConfig, codebook: Codebook):
        super().__init__(codebook)
        self.config = config
        self.estimate = ESTIMATORS[config.estimator]

    def assign(self, z: Tensor, vectors: Tensor, log_prior: Tensor | None = None) -> Tensor:
        """The codes (N, m) of z (N, D) among the vectors (K, D) in training, given log p(code) (N, K) if any."""
        return most_likely(z, vectors, log_prior).unsqueeze(-1)  # (N, 1)

    @torch.no_grad()
    def nearest_codes(self, z: Tensor) -> Tensor:
        """The nearest codes (B, T) of z (B, T, D)."""
        with torch.autocast(z.device.type, enabled=False):
            return nearest(self.prepare(z.flatten(0, 1).float()), self.codebook.vectors()).view(z.shape[:2])

    def prepare(self, z: Tensor) -> Tensor:
        return F.normalize(z, dim=-1) if self.config.codebook_l2 else z

    def quantize(self, z: Tensor, weights: Tensor, batch: int, log_prior: Tensor | None = None) -> Quantized:
        if not self.started:
            return self.unstarted(z, "commitment", *(["codebook"] if self.codebook.learned else []))
        vectors = self.codebook.vectors()  # (K, D)
        with torch.no_grad():
            if self.training:
                codes = self.assign(z, vectors, log_prior)  # (N, m)
            else:
                codes = most_likely(z, vectors, log_prior).unsqueeze(-1)  # (N, 1)
        if self.training:
            vectors = self.codebook.look_ahead(vectors, z.detach(), codes, weights, self.accumulating)
        chosen = F.embedding_bag(codes, vectors, mode="mean")  # (N, D)

        def total(error: Tensor, weight: float) -> Tensor:
            return (error.square().mean(-1) * weights).sum() * weight

        losses = {"commitment": total(z - chosen.detach(), self.config.commitment)}
        if self.codebook.learned:
            losses["codebook"] = total(z.detach() - chosen, self.config.codebook_weight)
        return Quantized(self.estimate(z, chosen), codes, losses)

    def embed(self, codes: Tensor) -> Tensor:
        return self.codebook.lookup(codes)
