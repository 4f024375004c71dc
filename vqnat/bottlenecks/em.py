"""Hard and soft EM: vector quantization with a codebook of exponential moving averages (Roy et al. 2018).

A training step, in the order in which it happens:

1. E step, in ``forward``: each vector z_i takes its nearest code (eq. 1) or, in :meth:`SoftEM.draw`, m codes drawn
   from softmax_j(-||z_i - e_j||^2) (eq. 9). Code j has the share h_ij of vector i.
2. The decoder reads the mean of the m code vectors (eq. 11); the loss pulls z_i toward it (eq. 2). Estimator and loss
   are :class:`~vqnat.bottlenecks.core.vector_quantizer.VectorQuantizer`'s, the same as those of ``vq``.
3. :meth:`EMACodebook.accumulate`, at the end of ``forward``, adds up sum_i h_ij and sum_i h_ij z_i over micro-batches.
4. M step, :meth:`EMACodebook.apply_update`, once per optimizer step (eqs. 3-4, 7-8): averages of counts and sums move,
   dead codes are replaced, and the code vectors follow.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from vqnat.bottlenecks.core.codebook import StartOptions, VectorCodebook
from vqnat.bottlenecks.core.collectives import sum_replicas
from vqnat.bottlenecks.core.options import SizeOptions, option
from vqnat.bottlenecks.core.registry import register_bottleneck
from vqnat.bottlenecks.core.vector_quantizer import QuantizerOptions, VectorQuantizer
from vqnat.kernels.nearest import log_likelihoods
from vqnat.kernels.sampling import draw, sample_posterior

SMOOTHING = 1e-5  # eps of the Laplace smoothing


@dataclass
class EMAOptions:
    """The option of every bottleneck with an EMA codebook."""

    ema_decay: float = option(0.999, "lambda, decay of the codebook's moving averages, in [0, 1)", least=0, below=1)


@dataclass
class EMOptions(SizeOptions, StartOptions, EMAOptions, QuantizerOptions):
    """Options of ``hard_em``."""


@dataclass
class SamplingOptions:
    """Options of every bottleneck that samples from the posterior over codes."""

    num_samples: int = option(
        10,
        "m, codes sampled for each position in training; the paper uses 5 to 50; ignored, not refused, by bottlenecks "
        "that do not sample, so that comparisons can keep it fixed",
        least=1,
        tolerated=True,
    )
    posterior_temperature: float = option(
        1.0,
        "codes are drawn from softmax(-||z - e||^2 / T): above 1 they vary more, toward 0 soft EM becomes hard EM; the "
        "paper uses 1",
        above=0,
    )


class EMACodebook(VectorCodebook):
    """K code vectors that are exponential moving averages of the vectors assigned to them.

        c_j <- lambda c_j + (1 - lambda) sum_i h_ij            counts
        s_j <- lambda s_j + (1 - lambda) sum_i h_ij z_i        sums
        e_j  = s_j / c^_j,   c^_j = (c_j + eps) / (sum c + K eps) * sum c

    (Roy et al. 2018, eqs. 3-4, and section 3.2 for shares of m samples.) Eq. 4 as printed divides inside the average,
    which shrinks codes that no vector chose; the running sum does not. With ``--codebook-l2`` vectors and codes are
    unit vectors, e_j = s_j / ||s_j||. Only counts and sums are state, so averaging checkpoints averages them, and the
    code vectors follow.

    Attributes:
        counts: (K,) moving counts c; sums: (K, D) moving sums s.
        embedding: (K, D) the code vectors e.
    """

    sums: Tensor
    embedding: Tensor
    _batch_sums: Tensor  # (K, D) since the last update

    def __init__(self, size: int, dim: int, options: StartOptions, decay: float, on_sphere: bool = False):
        super().__init__(size, dim, options, decay, on_sphere)
        sums = torch.randn(size, dim)
        self.register_buffer("sums", F.normalize(sums, dim=-1) if self.on_sphere else sums)
        self.register_buffer("embedding", torch.empty(size, dim), persistent=False)
        self.register_buffer("_batch_sums", torch.zeros(size, dim), persistent=False)
        self._refresh()

    def vectors(self) -> Tensor:
        return self.embedding

    @torch.no_grad()
    def accumulate(self, z: Tensor, codes: Tensor, weights: Tensor) -> None:
        if self.started:
            share = weights / codes.shape[1]  # (N,), h of each of the m codes
            weighted = z.detach() * share.unsqueeze(-1)  # (N, D)
            for column in codes.unbind(1):
                self._batch_sums.index_add_(0, column, weighted)
        super().accumulate(z, codes, weights)  # counts; candidates for the start and for dead codes

    def discard(self) -> None:
        super().discard()
        self._batch_sums.zero_()

    @torch.no_grad()
    def apply_update(self, start_from: Callable[[Tensor], Tensor] | None = None) -> None:
        """One step with everything accumulated, over all replicas; every replica must call it.

        ``start_from``, if given, maps the vectors (M, D) seen until the start to those that the codes start from.
        """
        self.count_update()
        if not self.started:
            first = self.first_vectors(start_from)  # k-means of the vectors seen so far, or None: too early
            if first is not None:
                vectors, counts = first  # (K, D), (K,)
                self.counts.copy_(counts)
                self.sums.copy_(counts.unsqueeze(-1) * vectors)
                self._refresh()
        else:
            sum_replicas(self._batch_counts, self._batch_sums)
            self.counts.mul_(self.decay).add_(self._batch_counts, alpha=1 - self.decay)  # (K,), c
            self.sums.mul_(self.decay).add_(self._batch_sums, alpha=1 - self.decay)  # (K, D), s
            if self.replaces:
                mean = self.counts.mean()
                codes, dead, vectors = self.dead_codes()  # (n,), (n,), (n, D)
                # Count and sum are reset together: resetting the vector alone is undone by the next step.
                self.counts[codes] = torch.where(dead, mean, self.counts[codes])
                self.sums[codes] = torch.where(dead.unsqueeze(-1), mean * vectors, self.sums[codes])
            self._refresh()
        self.discard()

    def _refresh(self) -> None:
        """e_j from counts and sums."""
        total = self.counts.sum()
        smoothed = (self.counts + SMOOTHING) / (total + len(self) * SMOOTHING) * total  # (K,), c^
        torch.div(self.sums, smoothed.unsqueeze(-1), out=self.embedding)
        if self.on_sphere:
            self.embedding.copy_(F.normalize(self.embedding, dim=-1))

    def _load_from_state_dict(self, *args: Any, **kwargs: Any) -> None:
        super()._load_from_state_dict(*args, **kwargs)
        self._refresh()


def codebook_of(config: EMOptions, dim: int) -> EMACodebook:
    """The codebook that the options of ``hard_em`` or ``soft_em`` describe."""
    return EMACodebook(config.codebook_size, dim, config, config.ema_decay, config.codebook_l2)


@register_bottleneck("hard_em", EMOptions)
class HardEM(VectorQuantizer):
    """Hard EM: k-means with moving averages (Roy et al. 2018, section 2).

    The E step takes the nearest code, as every quantizer does that does not say otherwise.
    """

    def __init__(self, config: EMOptions, dim: int):
        super().__init__(config, codebook_of(config, dim))


@dataclass
class SoftEMOptions(EMOptions, SamplingOptions):
    """Options of ``soft_em``."""


@register_bottleneck("soft_em", SoftEMOptions)
class SoftEM(VectorQuantizer):
    """Soft EM with m Monte Carlo samples (Roy et al. 2018, section 3.2).

    Each drawn code takes 1/m of the vector in the M step, and the latent predictor learns all m. The paper's posterior
    has a uniform prior and no temperature; both may be given here: softmax((-||z - e_j||^2 + log p(j)) / T).
    """

    draws = True

    def __init__(self, config: SoftEMOptions, dim: int):
        super().__init__(config, codebook_of(config, dim))
        self.num_samples, self.temperature = config.num_samples, config.posterior_temperature

    def draw(self, z: Tensor, vectors: Tensor, log_prior: Tensor | None = None) -> Tensor:
        """m codes (N, m) of z (N, D), with replacement (eq. 9)."""
        if log_prior is None:
            scale = self.temperature**-0.5  # of both, so that squared distances are divided by the temperature
            return sample_posterior(z * scale, vectors * scale, self.num_samples)
        weights = log_likelihoods(z, vectors).add_(log_prior).div_(self.temperature).softmax(-1)  # (N, K)
        return draw(weights, 1 - torch.rand(len(z), self.num_samples, device=z.device))

    def posterior(self, z: Tensor) -> Tensor:
        return log_likelihoods(z, self.codebook.vectors()).div_(self.temperature).softmax(-1)
