"""A codebook that follows its vectors by exponential moving averages.

Roy et al. 2018, eqs. 3-4 (hard) and section 3.2 (m samples): with the share h_ij of vector i that code j takes,

    c_j <- lambda c_j + (1 - lambda) sum_i h_ij            counts
    s_j <- lambda s_j + (1 - lambda) sum_i h_ij z_i        sums
    e_j  = s_j / c^_j,   c^_j = (c_j + eps) / (sum c + K eps) * sum c

Eq. 4 as printed divides inside the average, which shrinks codes that nobody hit; the running sum does not.
Only counts and sums are state, so averaging checkpoints averages them and the embedding follows.
"""

from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor

from vqnat.bottlenecks.options import check
from vqnat.bottlenecks.quantiser import QuantiserConfig
from vqnat.bottlenecks.start import Codebook, StartConfig

SMOOTHING = 1e-5  # eps of the Laplace smoothing


@dataclass
class CodebookConfig(StartConfig, QuantiserConfig):
    """Options of every bottleneck with an EMA codebook."""

    ema_decay: float = field(
        default=0.999, metadata={"help": "lambda, decay of the codebook's moving averages, in [0, 1)"}
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        check(self, ("ema_decay", 0 <= self.ema_decay < 1, "0 <= value < 1"))


class EMACodebook(Codebook):
    """K code vectors that are the moving averages of the vectors assigned to them.

    With ``--codebook-l2`` the vectors are unit vectors, and so is each code: e_j = s_j / ||s_j||.

    Attributes:
        embedding: (K, D) the codes e.
        counts: (K,) moving counts c; sums: (K, D) moving sums s.
    """

    def __init__(self, config: CodebookConfig, dim: int):
        super().__init__(config, dim, config.ema_decay, on_sphere=config.codebook_l2)
        size = config.codebook_size
        sums = torch.randn(size, dim)
        self.register_buffer("sums", F.normalize(sums, dim=-1) if self.on_sphere else sums)
        self.register_buffer("embedding", torch.empty(size, dim), persistent=False)
        self.register_buffer("_batch_sums", torch.zeros(size, dim), persistent=False)
        self._refresh()

    def vectors(self) -> Tensor:
        return self.embedding

    def _refresh(self) -> None:
        total = self.counts.sum()
        smoothed = (self.counts + SMOOTHING) / (total + len(self) * SMOOTHING) * total  # (K,)
        torch.div(self.sums, smoothed.unsqueeze(-1), out=self.embedding)
        if self.on_sphere:
            self.embedding.copy_(F.normalize(self.embedding, dim=-1))

    @torch.no_grad()
    def accumulate(self, z: Tensor, codes: Tensor, weights: Tensor) -> None:
        if self.started:
            share = weights / codes.shape[1]  # (N,)
            weighted = z.detach() * share.unsqueeze(-1)  # (N, D)
            for column in codes.unbind(1):
                self._batch_sums.index_add_(0, column, weighted)
        super().accumulate(z, codes, weights)

    def _batch_totals(self) -> tuple[Tensor, ...]:
        return self._batch_counts, self._batch_sums

    def _move(self) -> None:
        self.sums.mul_(self.decay).add_(self._batch_sums, alpha=1 - self.decay)

    def _begin(self, vectors: Tensor, counts: Tensor) -> None:
        self.counts.copy_(counts)
        self.sums.copy_(vectors * counts.unsqueeze(-1))

    def _overwrite(self, index: Tensor, chosen: Tensor, rows: Tensor, count: Tensor) -> None:
        # Count and sum are reset together: resetting the vector alone is undone by the next EMA step.
        self.counts[index] = torch.where(chosen, count, self.counts[index])
        self.sums[index] = torch.where(chosen.unsqueeze(-1), count * rows, self.sums[index])
