"""How often each code is used."""

import torch
from torch import Tensor

from vqnat.bottlenecks.collectives import sum_replicas
from vqnat.bottlenecks.full_precision import FullPrecision

USAGE_DECAY = 0.99  # of the moving counts where they serve nothing but logging
IN_USE = 0.05  # a code is in use when its moving count is at least this share of the mean count


def perplexity(counts: Tensor) -> Tensor:
    """exp H of the distribution given by counts (K,), in codes; 1 for all-zero counts."""
    share = counts / counts.sum().clamp(min=torch.finfo(counts.dtype).tiny)
    return torch.special.entr(share).sum().exp()


class CodeCounts(FullPrecision):
    """Moving counts of K codes: all that a bottleneck without code vectors of its own keeps of its codes.

    Codebooks derive from it, so that every bottleneck has ``codebook.counts`` in its state.

    Attributes:
        counts: (K,) moving average of how often an optimizer step assigned each code.
    """

    started = True  # a codebook that needs data first overrides it

    def __init__(self, size: int, decay: float = USAGE_DECAY, first_count: float = 0.0):
        super().__init__()
        self.decay = decay
        self.register_buffer("counts", torch.full((size,), first_count))
        self.register_buffer("_batch_counts", torch.zeros(size), persistent=False)

    def __len__(self) -> int:
        return len(self.counts)

    @torch.no_grad()
    def accumulate(self, z: Tensor, codes: Tensor, weights: Tensor) -> None:
        """Add one micro-batch to what the next update applies.

        Args:
            z: (N, D) the vectors that were quantised.
            codes: (N, m) the codes of each; each takes the share 1/m.
            weights: (N,) 1 at real positions, 0 at pads.
        """
        share = weights / codes.shape[1]  # (N,)
        for column in codes.unbind(1):
            self._batch_counts.index_add_(0, column, share)

    def discard(self) -> None:
        """Forget what was accumulated since the last update."""
        self._batch_counts.zero_()

    @torch.no_grad()
    def apply_update(self) -> None:
        """One step of the moving counts over all replicas; every replica must call it."""
        sum_replicas(self._batch_counts)
        self._move_counts()
        self.discard()

    def _move_counts(self) -> None:
        self.counts.mul_(self.decay).add_(self._batch_counts, alpha=1 - self.decay)

    def perplexity(self) -> Tensor:
        """exp of the entropy of the moving counts, in codes (1 to K); a scalar tensor."""
        return perplexity(self.counts)

    def share_in_use(self) -> Tensor:
        """Share of codes whose moving count is at least 5% of the mean count; a scalar tensor."""
        # Strictly positive: before the first step all counts and their mean are 0.
        return ((self.counts >= IN_USE * self.counts.mean()) & (self.counts > 0)).float().mean()
