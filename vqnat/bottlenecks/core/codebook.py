"""Codes with moving counts, and code vectors that start from data and are replaced when nobody uses them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vqnat.bottlenecks.core.collectives import gather_batches, sum_replicas
from vqnat.bottlenecks.core.full_precision import full_precision
from vqnat.bottlenecks.core.options import option
from vqnat.bottlenecks.core.start import first_codebook
from vqnat.kernels.nearest import nearest

USAGE_DECAY = 0.99  # of the moving counts where they are only logged
IN_USE = 0.05  # a code is in use when its moving count is at least this share of the mean count
MAX_CANDIDATES = 256  # vectors of a micro-batch kept as possible replacements of dead codes
LEAST_COLLECTED = 8192  # vectors kept for the start, or 2 K where that is more


def perplexity(counts: Tensor) -> Tensor:
    """exp H of the distribution given by counts (K,), in codes; 1 for all-zero counts."""
    share = counts / counts.sum().clamp(min=torch.finfo(counts.dtype).tiny)
    entropy: Tensor = torch.special.entr(share).sum()
    return entropy.exp()


@full_precision
class Codebook(nn.Module):
    """K codes and how often each is used; a bottleneck whose codes are bits or levels needs no more.

    :meth:`accumulate` collects during forward passes, :meth:`apply_update` applies once per optimizer step over
    all replicas, :meth:`discard` forgets a step that overflowed.

    Attributes:
        counts: (K,) moving average of how often an optimizer step assigned each code.
        started: False while the codes wait for their first vectors.
        spread: after such a start, the mean squared distance of a vector's component to its code's; else None.
    """

    counts: Tensor
    _batch_counts: Tensor  # (K,) since the last update
    started: bool = True
    spread: float | None = None

    def __init__(self, size: int, decay: float = USAGE_DECAY, first_count: float = 0.0):
        super().__init__()
        self.decay = decay
        self.register_buffer("counts", torch.full((size,), first_count))
        self.register_buffer("_batch_counts", torch.zeros(size), persistent=False)

    def __len__(self) -> int:
        return len(self.counts)

    def vectors(self) -> Tensor:
        """The code vectors (K, D) float32; they carry a gradient where the model's optimizer trains them."""
        raise NotImplementedError

    def lookup(self, codes: Tensor) -> Tensor:
        """The vectors (..., D) of codes (...)."""
        return F.embedding(codes, self.vectors())

    def look_ahead(self, vectors: Tensor, z: Tensor, codes: Tensor, weights: Tensor, accumulating: bool) -> Tensor:
        """The code vectors (K, D) that training reads: those after the codebook's alternating step, if it makes one.

        Args:
            vectors: (K, D) the code vectors before it.
            z: (N, D) the vectors that were quantized, without gradient.
            codes: (N, m) the codes of each; they stay the same.
            weights: (N,) 1 at real positions, 0 at pads.
            accumulating: whether :meth:`apply_update` will make this step.
        """
        return vectors

    @torch.no_grad()
    def accumulate(self, z: Tensor, codes: Tensor, weights: Tensor) -> None:
        """Add one micro-batch to what the next update applies.

        Args:
            z: (N, D) the vectors that were quantized.
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
        self.counts.mul_(self.decay).add_(self._batch_counts, alpha=1 - self.decay)
        self.discard()

    def perplexity(self) -> Tensor:
        """exp of the entropy of the moving counts, in codes (1 to K); a scalar tensor."""
        return perplexity(self.counts)

    def share_in_use(self) -> Tensor:
        """Share of codes whose moving count is at least 5% of the mean count; a scalar tensor."""
        # Strictly positive: before the first step all counts and their mean are 0.
        return ((self.counts >= IN_USE * self.counts.mean()) & (self.counts > 0)).float().mean()


@dataclass
class StartOptions:
    """Options of every codebook of K free vectors."""

    codebook_start: str = option(
        "kmeans",
        "first codebook: kmeans (of encoder vectors), data (drawn from them) or random",
        one_of=("kmeans", "data", "random"),
    )
    codebook_start_updates: int = option(
        200,
        "updates before kmeans or data start the codebook; until then the decoder reads the encoder's vectors as "
        "they are and the latent predictor waits",
        least=0,
    )
    dead_code_threshold: float = option(
        0.05,
        "a code is replaced by a random encoder vector when its moving count falls below this share of the mean "
        "count; 0 never replaces",
        least=0,
        below=1,
    )
    dead_code_timeout: int = option(
        0, "a code is also replaced after this many consecutive updates without use; 0: never", least=0
    )


class VectorCodebook(Codebook):
    """K code vectors of D components in fp32, whatever the model's precision.

    Here are the vectors collected for the start and for the replacement of dead codes. A subclass holds the code
    vectors, and its ``apply_update`` is the whole step:

        count_update();  before the start first_vectors();  after it its own equations, then dead_codes()

    Attributes:
        started: False until k-means (or the data, or chance) made the first codebook; the vectors mean nothing before.
    """

    num_applied: Tensor
    has_started: Tensor
    idle: Tensor

    def __init__(self, size: int, dim: int, options: StartOptions, decay: float, on_sphere: bool = False):
        super().__init__(size, decay, first_count=1.0)
        self.options = options
        self.dim = dim
        self.on_sphere = on_sphere  # codes and the vectors they follow are unit vectors
        self.replaces = options.dead_code_threshold > 0 or options.dead_code_timeout > 0
        self.started = options.codebook_start == "random"  # has_started without asking the device
        self.steps = 0  # num_applied without asking the device
        self.register_buffer("num_applied", torch.zeros((), dtype=torch.long))  # optimizer steps seen
        self.register_buffer("has_started", torch.tensor(self.started))
        if options.dead_code_timeout:
            self.register_buffer("idle", torch.zeros(size, dtype=torch.long))  # updates since the last use
        self._candidates: list[tuple[Tensor, Tensor]] = []  # (rows (n, D), is real (n,)) of each micro-batch
        self._reservoir = torch.empty(0, dim)  # newest encoder vectors of all replicas, until started

    @torch.no_grad()
    def accumulate(self, z: Tensor, codes: Tensor, weights: Tensor) -> None:
        z = z.detach()
        if not self.started:
            self._candidates.append((z, weights.bool()))
            return
        super().accumulate(z, codes, weights)
        if self.replaces:
            # Random real rows without asking the device how many there are: pads sort last.
            keys = torch.rand(len(z), device=z.device) * weights
            rows = keys.topk(min(MAX_CANDIDATES, len(z))).indices
            self._candidates.append((z[rows], weights[rows].bool()))

    def discard(self) -> None:
        super().discard()
        self._candidates.clear()

    def count_update(self) -> None:
        """Count an optimizer step."""
        self.steps += 1
        self.num_applied += 1

    def first_vectors(self, start_from: Callable[[Tensor], Tensor] | None = None) -> tuple[Tensor, Tensor] | None:
        """Once it is time, the code vectors (K, D) to start from, and counts (K,) as one step adds them; else None.

        ``start_from``, if given, is applied to the collected vectors (M, D) first.
        """
        rows = gather_batches([z[real] for z, real in self._candidates], self._reservoir[:0].to(self.counts.device))
        newest = max(2 * len(self), LEAST_COLLECTED)
        self._reservoir = torch.cat([self._reservoir.to(rows.device), rows])[-newest:]
        if self.steps < self.options.codebook_start_updates or len(self._reservoir) < len(self):
            return None
        z = self._reservoir if start_from is None else start_from(self._reservoir)  # (M, D)
        vectors, counts = first_codebook(self.options.codebook_start, z, len(self), self.on_sphere)
        distance = (z - F.embedding(nearest(z, vectors), vectors)).square()
        self.spread = float(distance.mean())
        self._reservoir = self._reservoir[:0]
        self.started = True
        self.has_started.fill_(True)
        # Scaled to what one step adds, so that the first codebook weighs as if it had always been there.
        return vectors, counts * (len(rows) / counts.sum())

    @torch.no_grad()
    def restart(self) -> None:
        """Forget the codes: new ones start from the next vectors, as soon as there are K."""
        self.discard()
        self.started = False
        self.has_started.fill_(False)
        self.steps = max(self.steps, self.options.codebook_start_updates)  # it has waited already
        self.num_applied.fill_(self.steps)

    def dead_codes(self) -> tuple[Tensor, Tensor, Tensor]:
        """Which codes are to be overwritten by which vectors, after a step of the moving counts.

        The rarest codes, as many as there are candidates (n); no shape depends on how many of them are dead, so the
        host need not wait for the device.

        Returns:
            distinct codes (n,), whether each is dead and has a replacement (n,) bool, the replacements (n, D).
        """
        # The flag travels as one more column; real rows first.
        each = [torch.cat([rows, real.unsqueeze(-1).to(rows)], 1) for rows, real in self._candidates]
        flagged = gather_batches(each, self.counts.new_empty(0, self.dim + 1))
        flagged = flagged[flagged[:, -1].argsort(descending=True, stable=True)][: len(self)]
        rows, real = flagged[:, :-1], flagged[:, -1].bool()
        dead = self.counts < self.options.dead_code_threshold * self.counts.mean()  # (K,)
        if self.options.dead_code_timeout:
            self.idle.add_(1).masked_fill_(self._batch_counts > 0, 0)
            dead = dead | (self.idle >= self.options.dead_code_timeout)
        rarest = self.counts.argsort(stable=True)
        # The dead before the living: with a timeout they need not be the rarest.
        rarest = rarest[dead[rarest].to(torch.uint8).argsort(descending=True, stable=True)][: len(rows)]  # (n,)
        chosen = real & dead[rarest]
        if self.options.dead_code_timeout:
            self.idle[rarest] = self.idle[rarest].masked_fill(chosen, 0)
        return rarest, chosen, F.normalize(rows, dim=-1) if self.on_sphere else rows

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> "VectorCodebook":
        super()._apply(fn, recurse)
        self._reservoir = self._reservoir.to(self.counts.device)
        return self

    def get_extra_state(self) -> Tensor:
        """The vectors collected for the start: what makes resuming before the start exact."""
        return self._reservoir

    def set_extra_state(self, state: Tensor) -> None:
        self._reservoir = state.to(self.counts)

    def _load_from_state_dict(self, *args: Any, **kwargs: Any) -> None:
        super()._load_from_state_dict(*args, **kwargs)
        self.steps = int(self.num_applied)
        self.started = bool(self.has_started)
