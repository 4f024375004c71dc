"""What bottlenecks share whose training mixes all codes with softmax weights and Gumbel noise.

Their posterior is a dense (N, K) tensor: gradients need all of it. Large K costs memory here.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple, Optional

import torch
import torch.nn.functional as F
from torch import Tensor

from vqnat.bottlenecks.bottleneck import Bottleneck, Quantized
from vqnat.bottlenecks.gradient_codebook import GradientCodebook
from vqnat.bottlenecks.options import Options, check
from vqnat.bottlenecks.start import StartConfig

LEAST_VARIANCE = 1e-8  # a cluster for each vector has none; the square root has no slope at 0
COLDEST = 1e-5  # no temperature is lower: dividing by it stays finite in fp32


class Temperatures(NamedTuple):
    """A schedule (of :mod:`.schedules`) of the temperature and its parameters."""

    shape: Callable[[int, float, float, float], float]
    start: float
    end: float
    updates: int


@dataclass
class RelaxedConfig(Options):
    """Options of every relaxed bottleneck; what is not given is the bottleneck's own."""

    temperature_start: Optional[float] = field(  # noqa: UP045  (fairseq's parser does not read `float | None`)
        default=None,
        metadata={"help": "first temperature; default: gumbel_softmax 1.2, sq_vae 1, gumbel_vqvae 1, gm_vq 2"},
    )
    temperature_end: Optional[float] = field(  # noqa: UP045
        default=None,
        metadata={"help": "last temperature; default: gumbel_softmax 0.2, sq_vae 0, gumbel_vqvae 1/16, gm_vq 0.1"},
    )
    temperature_updates: Optional[int] = field(  # noqa: UP045
        default=None,
        metadata={
            "help": "updates from the first to the last temperature (sq_vae: to 1/e of the first); "
            "default: gumbel_softmax and gumbel_vqvae 150000, sq_vae 100000, gm_vq 50000"
        },
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        start, end, updates = self.temperature_start, self.temperature_end, self.temperature_updates
        check(
            self,
            ("temperature_start", start is None or start > 0, "more than 0"),
            ("temperature_end", end is None or end >= 0, "0 or more"),
            ("temperature_updates", updates is None or updates >= 0, "0 or more"),
        )


def gumbel_like(logits: Tensor) -> Tensor:
    """Standard Gumbel noise; from uniform draws, which a CPU makes several times faster than exponential ones."""
    tiny = torch.finfo(logits.dtype).tiny
    return torch.rand_like(logits).clamp_(min=tiny).log_().neg_().clamp_(min=tiny).log_().neg_()


class Relaxed(Bottleneck):
    """Gumbel-softmax over the codes (Jang et al. 2017; Maddison et al. 2017).

        y = softmax((log p + a g) / T) in training;  q = sum_j y_j e_j

    with p = softmax of :meth:`logits` and Gumbel noise g. The code of a position is argmax y in training (a draw
    from p where a = 1) and argmax p in evaluation, where q is that code's vector and nothing is drawn.
    """

    temperatures: Temperatures

    def __init__(self, config: RelaxedConfig, codebook: GradientCodebook):
        super().__init__(codebook)
        self.config = config

    def logits(self, z: Tensor, vectors: Tensor) -> Tensor:
        """log p(j | z) (N, K) up to a constant of each row, for z (N, D) and codes (K, D)."""
        raise NotImplementedError

    def losses(self, z: Tensor, q: Tensor, log_p: Tensor, weights: Tensor) -> dict[str, Tensor]:
        """Weighted sums over real positions, for z, q (N, D), log p (N, K), weights (N,)."""
        return {}

    def loss_names(self) -> tuple[str, ...]:
        """The names of :meth:`losses`, for the time before the codebook's start."""
        return ()

    def start(self, variance: float) -> None:
        """Fit the posterior to a codebook that has just been started, ``variance`` a component within its clusters."""

    def apply_update(self) -> None:
        waiting = not self.started
        super().apply_update()
        if waiting and self.started:
            self.start(max(self.codebook.spread, LEAST_VARIANCE))

    def temperature(self) -> float:
        """T at this update."""
        given = self.config
        default = self.temperatures
        start = default.start if given.temperature_start is None else given.temperature_start
        end = default.end if given.temperature_end is None else given.temperature_end
        updates = default.updates if given.temperature_updates is None else given.temperature_updates
        return max(default.shape(self.num_updates, start, end, updates), COLDEST)

    def noise_scale(self) -> float:
        """a at this update."""
        return 1.0

    def quantize(self, z: Tensor, weights: Tensor, batch: int) -> Quantized:
        if not self.started:
            return self.unstarted(z, *self.loss_names())
        vectors = self.codebook.vectors()  # (K, D)
        log_p = F.log_softmax(self.logits(z, vectors), -1)  # (N, K)
        if self.training:
            noisy = (log_p + self.noise_scale() * gumbel_like(log_p)) / self.temperature()
            codes = noisy.argmax(-1, keepdim=True)  # (N, 1)
            mixed = noisy.softmax(-1) @ vectors  # (N, D)
        else:
            codes = log_p.argmax(-1, keepdim=True)
            mixed = F.embedding(codes.squeeze(-1), vectors)
        read = self.sample(z, mixed) if self.training else mixed
        return Quantized(read, codes, self.losses(z, mixed, log_p, weights))

    def sample(self, z: Tensor, mixed: Tensor) -> Tensor:
        """What the decoder reads in training, given the mixture (N, D) of codes: the mixture."""
        return mixed

    def posterior(self, z: Tensor) -> Tensor:
        return self.logits(z, self.codebook.vectors()).softmax(-1)

    def embed(self, codes: Tensor) -> Tensor:
        return self.codebook.lookup(codes)

    def scalars(self) -> dict[str, float]:
        return {"temperature": self.temperature()}


def plain_codebook(size: int, dim: int) -> GradientCodebook:
    """Code vectors of a bottleneck whose logits do not come from distances: random, none replaced."""
    return GradientCodebook(StartConfig(size, codebook_start="random", dead_code_threshold=0.0), dim)


def expected(log_p: Tensor, values: Tensor) -> Tensor:
    """sum_j p_j values_j (N,) for log p (N, K); 0 where p_j = 0."""
    return (log_p.exp() * values).sum(-1)
