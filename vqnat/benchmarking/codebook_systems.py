"""One codebook step, by our bottlenecks and by others: assign, quantize, backward, update the codes.

Every system is a callable without arguments that makes one whole step on the same N encoder vectors and returns the
gradient of these vectors, which must be equal for all systems that quantize alike.
"""

from argparse import Namespace
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor

from vqnat.benchmarking.codebook_names import HARD_EM, MATRIX_PRODUCT, NAIVE, SOFT_EM, VECTOR_QUANTIZE_PYTORCH
from vqnat.bottlenecks import build_bottleneck

Step = Callable[[], Tensor | None]
DECAY = 0.99
COMMITMENT = 0.25
PRODUCT_TILE = (512, 2048)  # vectors and codes per matrix product: the fastest of nine sizes on our CPUs


@dataclass(frozen=True)
class Shape:
    """N vectors of D components, K codes."""

    vectors: int
    codes: int
    dim: int

    def __str__(self) -> str:
        return f"N {self.vectors}, K {self.codes}, D {self.dim}"


def _inputs(shape: Shape) -> tuple[Tensor, Tensor, Tensor]:
    """Codes (K, D), vectors z (1, N, D) near them and a gradient of z, the same for every system."""
    generator = torch.Generator().manual_seed(1)
    codes = torch.randn(shape.codes, shape.dim, generator=generator)
    near = torch.randint(shape.codes, (shape.vectors,), generator=generator)
    z = codes[near] + 0.3 * torch.randn(shape.vectors, shape.dim, generator=generator)
    gradient = torch.randn(1, shape.vectors, shape.dim, generator=generator)
    return codes, z.unsqueeze(0).requires_grad_(), gradient


def ours(shape: Shape, samples: int = 0) -> Step:
    """``hard_em``, or ``soft_em`` with ``samples`` > 0. Dead codes are not replaced, as in the other systems."""
    codes, z, gradient = _inputs(shape)
    options = Namespace(
        codebook_size=shape.codes,
        codebook_start="random",
        dead_code_threshold=0.0,
        ema_decay=DECAY,
        commitment=COMMITMENT,
        num_samples=samples,
    )
    bottleneck = build_bottleneck("soft_em" if samples else "hard_em", options, shape.dim).train()
    bottleneck.codebook.sums.copy_(codes)
    bottleneck.codebook._refresh()
    mask = torch.ones(1, shape.vectors, dtype=torch.bool)

    def step() -> Tensor:
        z.grad = None
        output = bottleneck(z, mask)
        total, count = output.losses["commitment"]
        torch.autograd.backward([output.quantized, total / count], [gradient, None])
        bottleneck.apply_update()
        return z.grad

    return step


def vector_quantize_pytorch(shape: Shape) -> Step:
    """The public package with the same algorithm; otherwise its own defaults."""
    from vector_quantize_pytorch import VectorQuantize

    codes, z, gradient = _inputs(shape)
    quantizer = VectorQuantize(
        dim=shape.dim, codebook_size=shape.codes, decay=DECAY, commitment_weight=COMMITMENT, rotation_trick=False
    ).train()
    quantizer._codebook.embed.data.copy_(codes.unsqueeze(0))
    quantizer._codebook.embed_avg.data.copy_(codes.unsqueeze(0))

    def step() -> Tensor:
        z.grad = None
        quantized, _, loss = quantizer(z)
        torch.autograd.backward([quantized, loss.sum()], [gradient, None])
        return z.grad

    return step


def naive(shape: Shape) -> Step:
    """The equations as written: all N x K distances, one-hot assignments, two more products for the averages."""
    codes, z, gradient = _inputs(shape)
    embedding, counts, sums = codes.clone(), torch.ones(shape.codes), codes.clone()

    def step() -> Tensor:
        nonlocal counts, sums, embedding
        z.grad = None
        flat = z[0]
        with torch.no_grad():
            distances = flat.square().sum(1, keepdim=True) - 2 * flat @ embedding.t() + embedding.square().sum(1)
            chosen = distances.argmin(1)
            one_hot = F.one_hot(chosen, shape.codes).float()  # (N, K)
            counts = DECAY * counts + (1 - DECAY) * one_hot.sum(0)
            sums = DECAY * sums + (1 - DECAY) * one_hot.t() @ flat
            quantized = one_hot @ embedding
        loss = COMMITMENT * (flat - quantized).square().mean()
        torch.autograd.backward([flat + (quantized - flat).detach(), loss], [gradient[0], None])
        embedding = sums / counts.clamp(min=1e-5).unsqueeze(1)
        return z.grad

    return step


def matrix_product(shape: Shape) -> Step:
    """z e^T alone, into a reused buffer: the lower bound for any exact search."""
    codes, z, _ = _inputs(shape)
    vectors, tiles = z.detach()[0].split(PRODUCT_TILE[0]), codes.split(PRODUCT_TILE[1])
    buffer = torch.empty(PRODUCT_TILE)

    def step() -> None:
        for some in vectors:
            for tile in tiles:
                torch.mm(some, tile.t(), out=buffer[: len(some), : len(tile)])

    return step


SYSTEMS: dict[str, Callable[[Shape], Step]] = {
    HARD_EM: ours,
    SOFT_EM: partial(ours, samples=10),
    VECTOR_QUANTIZE_PYTORCH: vector_quantize_pytorch,
    NAIVE: naive,
    MATRIX_PRODUCT: matrix_product,
}
DENSE = (NAIVE, VECTOR_QUANTIZE_PYTORCH)  # these hold all N x K scores in memory


def scores_fit(shape: Shape, limit: int) -> bool:
    """Whether a system that keeps four N x K tensors in fp32 stays below ``limit`` bytes."""
    return 4 * 4 * shape.vectors * shape.codes <= limit
