"""The first codebook (k-means, data or chance) and the replacement of dead codes, for every kind of codebook."""

from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor

from vqnat.bottlenecks.collectives import gather_rows, sum_replicas
from vqnat.bottlenecks.kmeans import kmeans
from vqnat.bottlenecks.options import SizeConfig, check
from vqnat.bottlenecks.usage import CodeCounts
from vqnat.kernels.nearest import nearest

STARTS = ("kmeans", "data", "random")
MAX_CANDIDATES = 256  # rows of a micro-batch kept as possible replacements of dead codes


@dataclass
class StartConfig(SizeConfig):
    """Options of every codebook of K free vectors."""

    codebook_start: str = field(
        default="kmeans",
        metadata={"help": "first codebook: kmeans (of encoder vectors), data (drawn from them) or random"},
    )
    codebook_start_updates: int = field(
        default=200,
        metadata={
            "help": "updates before kmeans or data start the codebook; until then the decoder reads the "
            "encoder's vectors as they are and the latent predictor waits"
        },
    )
    dead_code_threshold: float = field(
        default=0.05,
        metadata={
            "help": "a code is replaced by a random encoder vector when its moving count falls below this share "
            "of the mean count; 0 never replaces"
        },
    )
    dead_code_timeout: int = field(
        default=0, metadata={"help": "a code is also replaced when so many updates in a row left it out; 0: never"}
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        check(
            self,
            ("codebook_start", self.codebook_start in STARTS, ", ".join(STARTS)),
            ("codebook_start_updates", self.codebook_start_updates >= 0, "0 or more"),
            ("dead_code_threshold", 0 <= self.dead_code_threshold < 1, "0 <= value < 1"),
            ("dead_code_timeout", self.dead_code_timeout >= 0, "0 or more"),
        )

    @property
    def replaces(self) -> bool:
        """Whether dead codes are replaced at all."""
        return self.dead_code_threshold > 0 or self.dead_code_timeout > 0


class Codebook(CodeCounts):
    """K code vectors of D components in fp32, whatever the model's precision.

    :meth:`accumulate` collects during forward passes, :meth:`apply_update` applies once per optimizer step over
    all replicas, :meth:`discard` forgets a step that overflowed. Before :attr:`started` the vectors mean nothing.
    A subclass says what is accumulated beside the counts, how a step moves the vectors, how they are overwritten.

    Attributes:
        counts: (K,) moving counts.
        started: False until k-means (or the data, or chance) made the first codebook.
        spread: then, the mean squared distance of a component of an encoder vector to its code; None otherwise.
    """

    learned = False  # whether the model's optimizer trains the vectors

    def __init__(self, config: StartConfig, dim: int, decay: float, on_sphere: bool = False):
        super().__init__(config.codebook_size, decay, first_count=1.0)
        self.config = config
        self.dim = dim
        self.on_sphere = on_sphere  # codes and the vectors they follow are unit vectors
        self.started = config.codebook_start == "random"  # has_started without asking the device
        self.spread: float | None = None
        self.steps = 0  # num_applied without asking the device
        self.register_buffer("num_applied", torch.zeros((), dtype=torch.long))  # optimizer steps seen
        self.register_buffer("has_started", torch.tensor(self.started))
        if config.dead_code_timeout:
            self.register_buffer("idle", torch.zeros(len(self), dtype=torch.long))  # updates since the last use
        self._candidates: list[tuple[Tensor, Tensor]] = []  # (rows, is real) of each micro-batch
        self._reservoir = torch.empty(0, dim)  # newest encoder vectors of all replicas, until started

    def vectors(self) -> Tensor:
        """The codes (K, D) float32; carries a gradient where the model's optimizer trains them."""
        raise NotImplementedError

    def lookup(self, codes: Tensor) -> Tensor:
        """The vectors (..., D) of codes (...)."""
        return F.embedding(codes, self.vectors())

    def look_ahead(self, vectors: Tensor, z: Tensor, codes: Tensor, weights: Tensor, accumulating: bool) -> Tensor:
        """The codes (K, D) that training reads: those after the codebook's alternating step, if it makes one.

        Args:
            vectors: (K, D) the codes before it.
            z: (N, D) the vectors that were quantised, without gradient.
            codes: (N, m) the codes of each; they stay the same.
            weights: (N,) 1 at real positions, 0 at pads.
            accumulating: whether :meth:`apply_update` will make this step.
        """
        return vectors

    def _batch_totals(self) -> tuple[Tensor, ...]:
        """What was accumulated since the last update, to be summed over replicas."""
        return (self._batch_counts,)

    def _move(self) -> None:
        """One step of the vectors with the totals of all replicas; the counts have moved already."""

    def _begin(self, vectors: Tensor, counts: Tensor) -> None:
        """Take the first codebook: vectors (K, D), and counts (K,) as one step adds them."""
        raise NotImplementedError

    def _overwrite(self, index: Tensor, chosen: Tensor, rows: Tensor, count: Tensor) -> None:
        """Set code index[i] to rows[i] with the moving count ``count`` where chosen[i].

        Args:
            index: (n,) distinct codes.
            chosen: (n,) bool.
            rows: (n, D) float32.
            count: scalar.
        """
        raise NotImplementedError

    @torch.no_grad()
    def accumulate(self, z: Tensor, codes: Tensor, weights: Tensor) -> None:
        z = z.detach()
        if not self.started:
            self._candidates.append((z, weights.bool()))
            return
        super().accumulate(z, codes, weights)
        if self.config.replaces:
            # Random real rows without asking the device how many there are: pads sort last.
            keys = torch.rand(len(z), device=z.device) * weights
            rows = keys.topk(min(MAX_CANDIDATES, len(z))).indices
            self._candidates.append((z[rows], weights[rows].bool()))

    def discard(self) -> None:
        for total in self._batch_totals():
            total.zero_()
        self._candidates.clear()

    @torch.no_grad()
    def apply_update(self) -> None:
        """One step with everything accumulated, over all replicas; every replica must call it."""
        self.steps += 1
        self.num_applied += 1
        if not self.started:
            self._collect_start()
        else:
            sum_replicas(*self._batch_totals())
            self._move_counts()
            self._move()
            if self.config.replaces:
                self._replace_dead_codes()
            self._refresh()
        self.discard()

    def _refresh(self) -> None:
        """Recompute what follows from the state."""

    def _collect_start(self) -> None:
        rows = torch.cat([z[real] for z, real in self._candidates] or [self._reservoir[:0]]).to(self.counts.device)
        enough = max(2 * len(self), 8192)
        self._reservoir = torch.cat([self._reservoir.to(rows.device), gather_rows(rows)])[-enough:]
        if self.steps < self.config.codebook_start_updates or len(self._reservoir) < len(self):
            return
        generator = torch.Generator().manual_seed(len(self))  # the same on every replica
        if self.config.codebook_start == "kmeans":
            centres, counts = kmeans(self._reservoir, len(self), generator, on_sphere=self.on_sphere)
        else:
            chosen = torch.randperm(len(self._reservoir), generator=generator)[: len(self)]
            centres, counts = self._reservoir[chosen.to(rows.device)], torch.ones_like(self.counts)
        # Scaled to what one step adds, so that the first codebook weighs as if it had always been there.
        per_step = len(gather_rows(rows)) / counts.sum()
        self._begin(centres, counts * per_step)
        chosen = F.embedding(nearest(self._reservoir, centres), centres)
        self.spread = float((self._reservoir - chosen).square().mean())
        self._reservoir = self._reservoir[:0]
        self.started = True
        self.has_started.fill_(True)
        self._refresh()

    def _replace_dead_codes(self) -> None:
        empty = self._reservoir[:0].to(self.counts.device)
        rows = torch.cat([rows for rows, _ in self._candidates] or [empty])
        real = torch.cat([real for _, real in self._candidates] or [self.counts[:0].bool()])
        # A flag travels as one more column; real rows first.
        flagged = gather_rows(torch.cat([rows, real.unsqueeze(-1).to(rows)], 1))
        flagged = flagged[flagged[:, -1].argsort(descending=True, stable=True)][: len(self)]
        rows, real = flagged[:, :-1], flagged[:, -1].bool()
        mean = self.counts.mean()
        dead = self.counts < self.config.dead_code_threshold * mean  # (K,)
        if self.config.dead_code_timeout:
            self.idle.add_(1).masked_fill_(self._batch_counts > 0, 0)
            dead = dead | (self.idle >= self.config.dead_code_timeout)
        rarest = self.counts.argsort(stable=True)
        # The dead before the living: with a timeout they need not be the rarest.
        rarest = rarest[dead[rarest].to(torch.uint8).argsort(descending=True, stable=True)][: len(rows)]  # (n,)
        chosen = real & dead[rarest]
        if self.config.dead_code_timeout:
            self.idle[rarest] = self.idle[rarest].masked_fill(chosen, 0)
        self._overwrite(rarest, chosen, F.normalize(rows, dim=-1) if self.on_sphere else rows, mean)

    def _apply(self, fn, recurse=True):
        super()._apply(fn, recurse)
        self._reservoir = self._reservoir.to(self.counts.device)
        return self

    def get_extra_state(self) -> Tensor:
        """The vectors collected for the start: what makes resuming before the start exact."""
        return self._reservoir

    def set_extra_state(self, state: Tensor) -> None:
        self._reservoir = state.to(self.counts)

    def _load_from_state_dict(self, *args, **kwargs):
        super()._load_from_state_dict(*args, **kwargs)
        self.steps = int(self.num_applied)
        self.started = bool(self.has_started)
        self._refresh()
