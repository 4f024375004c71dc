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
from torch import Tensor, nn

from vqnat.bottlenecks.collectives import gather_rows, sum_replicas
from vqnat.bottlenecks.kmeans import kmeans
from vqnat.errors import UserError

STARTS = ("kmeans", "data", "random")
SMOOTHING = 1e-5  # eps of the Laplace smoothing
MAX_CANDIDATES = 256  # rows of a micro-batch kept as possible replacements of dead codes


@dataclass
class CodebookConfig:
    """Options of every bottleneck with an EMA codebook."""

    codebook_size: int = field(
        default=4096, metadata={"help": "K, the number of codes: 2 to 65536; the paper uses 2^8 to 2^16"}
    )
    ema_decay: float = field(
        default=0.999, metadata={"help": "lambda, decay of the codebook's moving averages, in [0, 1)"}
    )
    commitment: float = field(
        default=0.25, metadata={"help": "beta, weight of the commitment loss (mean over dimensions)"}
    )
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

    def __post_init__(self) -> None:
        checks = (
            ("codebook-size", self.codebook_size, 2 <= self.codebook_size <= 65536, "2 to 65536"),
            ("ema-decay", self.ema_decay, 0 <= self.ema_decay < 1, "0 <= value < 1"),
            ("commitment", self.commitment, self.commitment >= 0, "0 or more"),
            ("codebook-start", self.codebook_start, self.codebook_start in STARTS, ", ".join(STARTS)),
            ("codebook-start-updates", self.codebook_start_updates, self.codebook_start_updates >= 0, "0 or more"),
            ("dead-code-threshold", self.dead_code_threshold, 0 <= self.dead_code_threshold < 1, "0 <= value < 1"),
        )
        for option, value, valid, range_ in checks:
            if not valid:
                raise UserError(f"--{option} {value} is not possible; valid: {range_}")


class EMACodebook(nn.Module):
    """K code vectors of D components in fp32, whatever the model's precision.

    :meth:`accumulate` collects during forward passes, :meth:`apply_update` applies once per optimizer step over
    all replicas, :meth:`discard` forgets a step that overflowed. Before :attr:`started` the embedding means
    nothing.

    Attributes:
        embedding: (K, D) the codes e.
        counts: (K,) moving counts c; sums: (K, D) moving sums s.
        started: False until k-means (or the data, or chance) made the first codebook.
    """

    def __init__(self, config: CodebookConfig, dim: int):
        super().__init__()
        self.config = config
        size = config.codebook_size
        self.register_buffer("counts", torch.ones(size))
        self.register_buffer("sums", torch.randn(size, dim))
        self.register_buffer("embedding", torch.empty(size, dim), persistent=False)
        self.register_buffer("num_applied", torch.zeros((), dtype=torch.long))  # optimizer steps seen
        self.register_buffer("_batch_counts", torch.zeros(size), persistent=False)
        self.register_buffer("_batch_sums", torch.zeros(size, dim), persistent=False)
        self.register_buffer("has_started", torch.tensor(config.codebook_start == "random"))
        self.started = config.codebook_start == "random"  # has_started without asking the device
        self.steps = 0  # num_applied without asking the device
        self._candidates: list[tuple[Tensor, Tensor]] = []  # (rows, is real) of each micro-batch
        self._reservoir = torch.empty(0, dim)  # newest encoder vectors of all replicas, until started
        self._refresh()

    def __len__(self) -> int:
        return self.config.codebook_size

    def _refresh(self) -> None:
        total = self.counts.sum()
        smoothed = (self.counts + SMOOTHING) / (total + len(self) * SMOOTHING) * total  # (K,)
        torch.div(self.sums, smoothed.unsqueeze(-1), out=self.embedding)

    @torch.no_grad()
    def accumulate(self, z: Tensor, codes: Tensor, weights: Tensor) -> None:
        """Add one micro-batch to what the next update applies.

        Args:
            z: (N, D) encoder vectors.
            codes: (N, m) the codes of each; each takes the share 1/m of the vector.
            weights: (N,) 1 at real positions, 0 at pads.
        """
        z = z.detach().float()
        if not self.started:
            self._candidates.append((z, weights.bool()))
            return
        share = weights.float() / codes.shape[1]  # (N,)
        weighted = z * share.unsqueeze(-1)  # (N, D)
        for column in codes.unbind(1):
            self._batch_counts.index_add_(0, column, share)
            self._batch_sums.index_add_(0, column, weighted)
        if self.config.dead_code_threshold > 0:
            # Random real rows without asking the device how many there are: pads sort last.
            keys = torch.rand(len(z), device=z.device) * weights
            rows = keys.topk(min(MAX_CANDIDATES, len(z))).indices
            self._candidates.append((z[rows], weights[rows].bool()))

    def discard(self) -> None:
        """Forget what was accumulated since the last update."""
        self._batch_counts.zero_()
        self._batch_sums.zero_()
        self._candidates.clear()

    @torch.no_grad()
    def apply_update(self) -> None:
        """One EMA step with everything accumulated, over all replicas; every replica must call it."""
        self.steps += 1
        self.num_applied += 1
        if not self.started:
            self._collect_start()
        else:
            sum_replicas(self._batch_counts, self._batch_sums)
            decay = self.config.ema_decay
            self.counts.mul_(decay).add_(self._batch_counts, alpha=1 - decay)
            self.sums.mul_(decay).add_(self._batch_sums, alpha=1 - decay)
            if self.config.dead_code_threshold > 0:
                self._replace_dead_codes()
            self._refresh()
        self.discard()

    def _collect_start(self) -> None:
        rows = torch.cat([z[real] for z, real in self._candidates] or [self.sums[:0]])
        enough = max(2 * len(self), 8192)
        self._reservoir = torch.cat([self._reservoir.to(rows.device), gather_rows(rows)])[-enough:]
        if self.steps < self.config.codebook_start_updates or len(self._reservoir) < len(self):
            return
        generator = torch.Generator().manual_seed(len(self))  # the same on every replica
        if self.config.codebook_start == "kmeans":
            centres, counts = kmeans(self._reservoir, len(self), generator)
        else:
            chosen = torch.randperm(len(self._reservoir), generator=generator)[: len(self)]
            centres, counts = self._reservoir[chosen.to(rows.device)], torch.ones_like(self.counts)
        # Scaled to what one step adds, so that the first codebook weighs as if it had always been there.
        per_step = len(gather_rows(rows)) / counts.sum()
        self.counts.copy_(counts * per_step)
        self.sums.copy_(centres * self.counts.unsqueeze(-1))
        self._reservoir = self._reservoir[:0]
        self.started = True
        self.has_started.fill_(True)
        self._refresh()

    def _replace_dead_codes(self) -> None:
        rows = torch.cat([rows for rows, _ in self._candidates] or [self.sums[:0]])
        real = torch.cat([real for _, real in self._candidates] or [self.counts[:0].bool()])
        # A flag travels as one more column; real rows first.
        flagged = gather_rows(torch.cat([rows, real.unsqueeze(-1).to(rows)], 1))
        flagged = flagged[flagged[:, -1].argsort(descending=True, stable=True)][: len(self)]
        rows, real = flagged[:, :-1], flagged[:, -1].bool()
        mean = self.counts.mean()
        rarest = self.counts.argsort(stable=True)[: len(rows)]
        dead = real & (self.counts[rarest] < self.config.dead_code_threshold * mean)  # (n,)
        # Count and sum are reset together: resetting the vector alone is undone by the next EMA step.
        self.counts[rarest] = torch.where(dead, mean, self.counts[rarest])
        self.sums[rarest] = torch.where(dead.unsqueeze(-1), mean * rows, self.sums[rarest])

    def perplexity(self) -> Tensor:
        """exp of the entropy of the moving counts, in codes (1 to K); a scalar tensor."""
        return perplexity(self.counts)

    def share_in_use(self) -> Tensor:
        """Share of codes whose moving count is at least 5% of the mean count; a scalar tensor."""
        return (self.counts >= 0.05 * self.counts.mean()).float().mean()

    def _apply(self, fn, recurse=True):
        # model.half() and .bfloat16() reach every buffer; counts of thousands and small steps need fp32.
        before = dict(self._buffers)
        super()._apply(fn, recurse)
        for name, old in before.items():
            new = self._buffers[name]
            if old.is_floating_point() and new.dtype != old.dtype:
                self._buffers[name] = old.to(new.device)
        self._reservoir = self._reservoir.to(self.sums.device)
        return self

    def get_extra_state(self) -> Tensor:
        """The vectors collected for the start: what makes resuming before the start exact."""
        return self._reservoir

    def set_extra_state(self, state: Tensor) -> None:
        self._reservoir = state.to(self.sums)

    def _load_from_state_dict(self, *args, **kwargs):
        super()._load_from_state_dict(*args, **kwargs)
        self.steps = int(self.num_applied)
        self.started = bool(self.has_started)
        self._refresh()


def perplexity(counts: Tensor) -> Tensor:
    """exp H of the distribution given by counts (K,), in codes; 1 for all-zero counts."""
    share = counts / counts.sum().clamp(min=torch.finfo(counts.dtype).tiny)
    return torch.special.entr(share).sum().exp()
