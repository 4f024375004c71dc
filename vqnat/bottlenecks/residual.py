"""Residual vector quantization (Zeghidour et al. 2021, SoundStream, algorithm 1)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice

import torch
from torch import Tensor, nn

from vqnat.bottlenecks.core import digits
from vqnat.bottlenecks.core.bottleneck import Bottleneck, Quantized
from vqnat.bottlenecks.core.codebook import Codebook, StartOptions
from vqnat.bottlenecks.core.estimator import ESTIMATORS
from vqnat.bottlenecks.core.options import SizeOptions, commitment_option, option
from vqnat.bottlenecks.core.registry import register_bottleneck
from vqnat.bottlenecks.em import EMACodebook, EMAOptions
from vqnat.kernels.nearest import nearest


@dataclass
class ResidualVQOptions(SizeOptions, StartOptions, EMAOptions):
    """Options of ``residual_vq``."""

    commitment: float = commitment_option()
    residual_levels: int = option(
        2, "n, codebooks of residual_vq; each has the n-th root of K codes for what those before it leave over", least=1
    )
    residual_estimator: str = option(
        "rotation",
        "how the gradient passes the sum of the codes: rotation (Fifty et al. 2024) or straight_through",
        one_of=ESTIMATORS,
    )


@register_bottleneck("residual_vq", ResidualVQOptions)
class ResidualVQ(Bottleneck):
    """n quantizers in a row, each of K' = K^(1 / n) codes for the residual that those before it leave over.

        r_1 = z,   c_l = argmin_j ||r_l - e_lj||^2,   r_(l+1) = r_l - e_l(c_l),   q = sum_l e_l(c_l)
        L = beta mean_l ||r_l - e_l(c_l)||^2          (mean over dimensions; no gradient to the codes)

    The code is sum_l c_l K'^(l-1). Each codebook is the moving average of its own residuals. The gradient passes from
    q to z once, for the sum of the codes and not level by level, rotated by default (Fifty et al. 2024). All codebooks
    start at the same update: the first from the encoder vectors seen so far, each other from their residuals.
    """

    codebooks: Sequence[EMACodebook]

    def __init__(self, config: ResidualVQOptions, dim: int):
        size = digits.base_of(config.codebook_size, config.residual_levels, "residual-levels")
        super().__init__(Codebook(config.codebook_size))
        self.size = size
        self.commitment = config.commitment
        self.estimate = ESTIMATORS[config.residual_estimator]
        self.codebooks = nn.ModuleList(  # type: ignore[assignment]
            EMACodebook(size, dim, config, config.ema_decay) for _ in range(config.residual_levels)
        )

    @property
    def started(self) -> bool:
        return all(codebook.started for codebook in self.codebooks)

    def levels(self, z: Tensor) -> Iterator[tuple[EMACodebook, Tensor, Tensor, Tensor]]:
        """Algorithm 1: for each codebook the residual r (N, D), its codes c (N,) and their vectors e (N, D)."""
        residual = z
        for codebook in self.codebooks:
            codes = nearest(residual, codebook.vectors())
            vectors = codebook.lookup(codes)
            yield codebook, residual, codes, vectors
            residual = residual - vectors

    def quantize(self, z: Tensor, weights: Tensor) -> Quantized:
        accumulating = self.training and self.accumulating
        if not self.started:
            nothing = self.unstarted(z, "commitment")
            for codebook in self.codebooks if accumulating else ():
                codebook.accumulate(z, nothing.codes, weights)
            return nothing
        read, error, found = torch.zeros_like(z), torch.zeros_like(weights), []
        for codebook, residual, codes, vectors in self.levels(z):
            read = read + vectors  # (N, D)
            error = error + (residual - vectors).square().mean(-1)  # (N,)
            found.append(codes)
            if accumulating:
                codebook.accumulate(residual, codes.unsqueeze(-1), weights)
        codes = digits.combine(found, self.size).unsqueeze(-1)  # (N, 1)
        commitment = (error * weights).sum() * (self.commitment / len(self.codebooks))
        return Quantized(self.estimate(z, read), codes, {"commitment": commitment})

    def assign(self, z: Tensor) -> Tensor:
        return digits.combine([codes for _, _, codes, _ in self.levels(z)], self.size)

    def embed(self, codes: Tensor) -> Tensor:
        found = zip(self.codebooks, digits.split(codes, self.size, len(self.codebooks)), strict=True)
        return torch.stack([codebook.lookup(part) for codebook, part in found]).sum(0)

    def discard(self) -> None:
        super().discard()
        for codebook in self.codebooks:
            codebook.discard()

    def apply_update(self) -> None:
        super().apply_update()
        for level, codebook in enumerate(self.codebooks):
            codebook.apply_update(start_from=partial(self._residual, level))

    def _residual(self, level: int, z: Tensor) -> Tensor:
        """What the first ``level`` codebooks leave over of z (M, D)."""
        for _, _, _, vectors in islice(self.levels(z), level):
            z = z - vectors
        return z
