"""A codebook of parameters: trained by the model's optimizer, or by its own alternating step."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vqnat.bottlenecks.core.codebook import StartOptions, VectorCodebook
from vqnat.bottlenecks.core.collectives import sum_replicas

COUNT_DECAY = 0.999  # of the moving counts; they decide which codes are dead
LEAST_STRETCH = 1e-3  # of 1 + l s, by which a new code vector is divided


class GradientCodebook(VectorCodebook):
    """K code vectors that are parameters.

    A code is e~ = (1 + l s) * e + l b where ``affine`` is l > 0 (Huh et al. 2023, section 4.1), and e~ / ||e~|| where
    ``on_sphere``; otherwise e itself.

    With ``inner_lr`` (OPT, section 4.2) the model's optimizer never sees e. Each update first makes

        e <- e - lr * gradient of mean ||sg z - q||^2     (mean over positions and dimensions; s and b constant)

    and the decoder and the losses read the codes after it, with the same assignment. :meth:`look_ahead` computes
    that step for one micro-batch alone and changes nothing; :meth:`apply_update` makes it, for all micro-batches
    and replicas.

    A start or a replaced code overwrites the parameter and leaves the optimizer's moments of it as they are.

    Attributes:
        weight: (K, D) e; scale, shift: (D,) s and b, where affine.
    """

    _batch_gradient: Tensor  # (K, D) of the summed loss, since the last update
    _batch_total: Tensor  # () positions, since the last update

    def __init__(
        self,
        size: int,
        dim: int,
        options: StartOptions,
        on_sphere: bool = False,
        affine: float = 0.0,
        inner_lr: float = 0.0,
    ):
        super().__init__(size, dim, options, COUNT_DECAY, on_sphere)
        self.affine = affine
        self.inner_lr = inner_lr
        vectors = torch.randn(size, dim)
        if on_sphere:
            vectors = F.normalize(vectors, dim=-1)
        self.weight = nn.Parameter(vectors, requires_grad=inner_lr == 0)
        if affine:
            self.scale = nn.Parameter(torch.zeros(dim))
            self.shift = nn.Parameter(torch.zeros(dim))
        if inner_lr:
            self.register_buffer("_batch_gradient", torch.zeros(size, dim), persistent=False)
            self.register_buffer("_batch_total", torch.zeros(()), persistent=False)

    def vectors(self) -> Tensor:
        return self._codes_of(self.weight)

    def lookup(self, codes: Tensor) -> Tensor:
        return self._codes_of(F.embedding(codes, self.weight))

    def _codes_of(self, weight: Tensor) -> Tensor:
        """The codes of parameters e (..., D)."""
        if self.affine:
            weight = (1 + self.affine * self.scale) * weight + self.affine * self.shift
        return F.normalize(weight, dim=-1) if self.on_sphere else weight

    def _weight_of(self, vectors: Tensor) -> Tensor:
        """The e whose codes are the given vectors (..., D): the inverse of the affine map."""
        if not self.affine:
            return vectors
        stretch = 1 + self.affine * self.scale
        stretch = torch.where(stretch.abs() < LEAST_STRETCH, torch.full_like(stretch, LEAST_STRETCH), stretch)
        return (vectors - self.affine * self.shift) / stretch

    def look_ahead(self, vectors: Tensor, z: Tensor, codes: Tensor, weights: Tensor, accumulating: bool) -> Tensor:
        if not self.inner_lr:
            return vectors
        with torch.enable_grad():
            weight = self.weight.detach().requires_grad_()
            chosen = F.embedding_bag(codes, self._codes_of(weight), mode="mean")  # (N, D)
            total = ((z - chosen).square().mean(-1) * weights).sum()
            (gradient,) = torch.autograd.grad(total, weight)  # of the sum: micro-batches add up
        if accumulating:
            self._batch_gradient += gradient
            self._batch_total += weights.sum()
        return self._codes_of(self.weight - self.inner_lr / weights.sum().clamp(min=1) * gradient)

    def discard(self) -> None:
        super().discard()
        if self.inner_lr:
            self._batch_gradient.zero_()
            self._batch_total.zero_()

    @torch.no_grad()
    def apply_update(self) -> None:
        """One step with everything accumulated, over all replicas; every replica must call it."""
        self.count_update()
        if not self.started:
            first = self.first_vectors()
            if first is not None:
                vectors, counts = first  # (K, D), (K,)
                self.counts.copy_(counts)
                self.weight.copy_(self._weight_of(vectors))
        else:
            sum_replicas(self._batch_counts, *([self._batch_gradient, self._batch_total] if self.inner_lr else []))
            self.counts.mul_(self.decay).add_(self._batch_counts, alpha=1 - self.decay)
            if self.inner_lr:
                self.weight.sub_(self.inner_lr / self._batch_total.clamp(min=1) * self._batch_gradient)
            if self.replaces:
                mean = self.counts.mean()
                codes, dead, vectors = self.dead_codes()  # (n,), (n,), (n, D)
                self.counts[codes] = torch.where(dead, mean, self.counts[codes])
                self.weight[codes] = torch.where(dead.unsqueeze(-1), self._weight_of(vectors), self.weight[codes])
        self.discard()
