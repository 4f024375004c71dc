"""Gumbel-softmax over all codes: what bottlenecks share whose training mixes codes with softmax weights and noise.

Their posterior is a dense (N, K) tensor, because gradients need all of it: a large K costs memory here.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, Optional

import torch
import torch.nn.functional as F
from torch import Tensor

from vqnat.bottlenecks.core.bottleneck import Bottleneck, Quantized
from vqnat.bottlenecks.core.codebook import StartOptions
from vqnat.bottlenecks.core.gradient_codebook import GradientCodebook
from vqnat.bottlenecks.core.options import option

LEAST_VARIANCE = 1e-8  # clusters of a single vector have none; the square root has no slope at 0
COLDEST = 1e-5  # the lowest temperature: dividing by it stays finite in fp32


class Temperatures(NamedTuple):
    """The schedule of the temperature (one of :mod:`.schedules`) and its default parameters."""

    shape: Callable[[int, float, float, float], float]
    start: float
    end: float
    updates: int


@dataclass
class RelaxedOptions:
    """Options of every relaxed bottleneck; what is not given is the bottleneck's own."""

    temperature_start: Optional[float] = option(None, "first temperature", above=0)  # noqa: UP045  (for fairseq's parser)
    temperature_end: Optional[float] = option(None, "last temperature", least=0)  # noqa: UP045
    temperature_updates: Optional[int] = option(  # noqa: UP045
        None,
        "updates from the first to the last temperature; with an exponential schedule, to 1/e of the first",
        least=0,
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

    draws = True
    temperatures: Temperatures  # trait of the class: the source's schedule
    loss_names: tuple[str, ...] = ()  # trait of the class: what losses() returns, needed before the codebook's start

    def __init__(self, config: RelaxedOptions, codebook: GradientCodebook):
        super().__init__(codebook)
        own = self.temperatures
        start = own.start if config.temperature_start is None else config.temperature_start
        end = own.end if config.temperature_end is None else config.temperature_end
        updates = own.updates if config.temperature_updates is None else config.temperature_updates
        self.schedule = Temperatures(own.shape, start, end, updates)

    @classmethod
    def own_defaults(cls) -> dict[str, float]:
        _, start, end, updates = cls.temperatures
        return {"temperature_start": start, "temperature_end": end, "temperature_updates": updates}

    def logits(self, z: Tensor, vectors: Tensor) -> Tensor:
        """log p(j | z) (N, K) up to a constant of each row, for z (N, D) and codes (K, D)."""
        raise NotImplementedError

    def losses(self, z: Tensor, q: Tensor, log_p: Tensor, weights: Tensor) -> dict[str, Tensor]:
        """Weighted sums over real positions, for z, q (N, D), log p (N, K), weights (N,)."""
        return {}

    def start(self, variance: float) -> None:
        """Fit the posterior to a codebook that has just started; its clusters have this ``variance`` per component."""

    def apply_update(self) -> None:
        waiting = not self.started
        super().apply_update()
        if waiting and self.started:
            self.start(max(self.codebook.spread or 0.0, LEAST_VARIANCE))

    def temperature(self) -> float:
        """T at this update."""
        shape, start, end, updates = self.schedule
        return max(shape(self.num_updates, start, end, updates), COLDEST)

    def noise_scale(self) -> float:
        """a at this update."""
        return 1.0

    def quantize(self, z: Tensor, weights: Tensor) -> Quantized:
        if not self.started:
            return self.unstarted(z, *self.loss_names)
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

    def assign(self, z: Tensor) -> Tensor:
        return F.log_softmax(self.logits(z, self.codebook.vectors()), -1).argmax(-1)

    def posterior(self, z: Tensor) -> Tensor:
        return self.logits(z, self.codebook.vectors()).softmax(-1)

    def embed(self, codes: Tensor) -> Tensor:
        return self.codebook.lookup(codes)

    def scalars(self) -> dict[str, float]:
        return {"temperature": self.temperature()}


def plain_codebook(size: int, dim: int) -> GradientCodebook:
    """Code vectors of a bottleneck whose logits do not come from distances: random at first, none replaced."""
    return GradientCodebook(size, dim, StartOptions(codebook_start="random", dead_code_threshold=0.0))


def expected(log_p: Tensor, values: Tensor) -> Tensor:
    """sum_j p_j values_j (N,) for log p (N, K); 0 where p_j = 0."""
    return (log_p.exp() * values).sum(-1)
