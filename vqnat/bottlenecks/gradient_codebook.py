"""A codebook of parameters: trained by the model's optimizer, or by its own alternating step."""

from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vqnat.bottlenecks.options import Options, check
from vqnat.bottlenecks.start import Codebook, StartConfig

COUNT_DECAY = 0.999  # of the moving counts; they decide which codes are dead


@dataclass
class CodebookLossConfig(Options):
    """The option of every quantiser whose codes a loss trains."""

    codebook_weight: float = field(
        default=1.0,
        metadata={"help": "weight of the codebook loss (mean over dimensions); Huh et al. 2023: alpha beta"},
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        check(self, ("codebook_weight", self.codebook_weight >= 0, "0 or more"))


@dataclass
class GradientCodebookConfig(CodebookLossConfig, StartConfig):
    """Options of a codebook that a loss or its own steps train."""

    codebook_affine: float = field(
        default=0.0,
        metadata={
            "help": "l of the affine reparameterisation (1 + l s) e + l b, with s and b learned by all codes "
            "together (Huh et al. 2023: 2 to 10); 0: none"
        },
    )
    codebook_inner_lr: float = field(
        default=0.0,
        metadata={
            "help": "alternating optimisation: the codes make one step of gradient descent with this rate before "
            "each step of the model, whose optimizer leaves them alone (Huh et al. 2023); 0: the optimizer trains them"
        },
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        check(
            self,
            ("codebook_affine", self.codebook_affine >= 0, "0 or more"),
            ("codebook_inner_lr", self.codebook_inner_lr >= 0, "0 or more"),
        )


class GradientCodebook(Codebook):
    """K code vectors that are parameters.

    A code is e~ = (1 + l s) * e + l b with ``--codebook-affine`` l (Huh et al. 2023, section 4.1), and
    e~ / ||e~|| with ``--codebook-l2``; otherwise e itself.

    With ``--codebook-inner-lr`` (OPT, section 4.2) the model's optimizer never sees e. Each update first makes

        e <- e - lr * gradient of mean ||sg z - q||^2     (mean over positions and dimensions; s and b constant)

    and the decoder and the losses read the codes after it, with the same assignment. :meth:`look_ahead` computes
    that step for one micro-batch alone and changes nothing; :meth:`apply_update` makes it, for all micro-batches
    and replicas.

    A start or a replaced code overwrites the parameter and leaves the optimizer's moments of it as they are.

    Attributes:
        weight: (K, D) e; scale, shift: (D,) s and b, where affine.
    """

    learned = True

    def __init__(
        self, config: StartConfig, dim: int, on_sphere: bool = False, affine: float = 0.0, inner_lr: float = 0.0
    ):
        super().__init__(config, dim, COUNT_DECAY, on_sphere)
        self.affine = affine
        self.inner_lr = inner_lr
        vectors = torch.randn(config.codebook_size, dim)
        if on_sphere:
            vectors = F.normalize(vectors, dim=-1)
        self.weight = nn.Parameter(vectors, requires_grad=inner_lr == 0)
        if affine:
            self.scale = nn.Parameter(torch.zeros(dim))
            self.shift = nn.Parameter(torch.zeros(dim))
        if inner_lr:
            self.register_buffer("_batch_gradient", torch.zeros(config.codebook_size, dim), persistent=False)
            self.register_buffer("_batch_total", torch.zeros(()), persistent=False)

    def vectors(self) -> Tensor:
        return self._codes_of(self.weight)

    def _codes_of(self, weight: Tensor) -> Tensor:
        if self.affine:
            weight = (1 + self.affine * self.scale) * weight + self.affine * self.shift
        return F.normalize(weight, dim=-1) if self.on_sphere else weight

    def lookup(self, codes: Tensor) -> Tensor:
        return self._codes_of(F.embedding(codes, self.weight))

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

    def _batch_totals(self) -> tuple[Tensor, ...]:
        if not self.inner_lr:
            return super()._batch_totals()
        return self._batch_counts, self._batch_gradient, self._batch_total

    def _move(self) -> None:
        if self.inner_lr:
            self.weight -= self.inner_lr / self._batch_total.clamp(min=1) * self._batch_gradient

    def _parameters_of(self, vectors: Tensor) -> Tensor:
        """The e whose codes are the given vectors: the inverse of the affine map."""
        if not self.affine:
            return vectors
        stretch = 1 + self.affine * self.scale
        stretch = torch.where(stretch.abs() < 1e-3, torch.full_like(stretch, 1e-3), stretch)
        return (vectors - self.affine * self.shift) / stretch

    def _begin(self, vectors: Tensor, counts: Tensor) -> None:
        self.counts.copy_(counts)
        self.weight.copy_(self._parameters_of(vectors))

    def _overwrite(self, index: Tensor, chosen: Tensor, rows: Tensor, count: Tensor) -> None:
        self.counts[index] = torch.where(chosen, count, self.counts[index])
        self.weight[index] = torch.where(chosen.unsqueeze(-1), self._parameters_of(rows), self.weight[index])
