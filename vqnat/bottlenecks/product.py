"""Product quantization: the decomposed vector quantization of Kaiser et al. 2018 (section 3.2)."""

from collections.abc import Sequence
from dataclasses import dataclass
from types import SimpleNamespace

import torch
from torch import Tensor, nn

from vqnat.bottlenecks.core import digits
from vqnat.bottlenecks.core.bottleneck import Bottleneck, Quantized
from vqnat.bottlenecks.core.codebook import Codebook
from vqnat.bottlenecks.core.full_precision import full_precision
from vqnat.bottlenecks.core.options import option
from vqnat.bottlenecks.core.registry import bottleneck_fields, build_bottleneck, refuse_unused, register_bottleneck
from vqnat.bottlenecks.em import EMOptions, SamplingOptions
from vqnat.bottlenecks.vq import VQOptions
from vqnat.errors import UserError

INNER = ("vq", "hard_em", "soft_em")


@dataclass
class ProductOptions(VQOptions, EMOptions, SamplingOptions):
    """Options of ``product``: its own, and those of the quantizer of each block."""

    product_inner: str = option("hard_em", f"quantizer of each block of product: {', '.join(INNER)}", one_of=INNER)
    product_blocks: int = option(
        2, "n_d, blocks of product; each has the n_d-th root of K codes, D / n_d components", least=1
    )
    product_projection: str = option(
        "sliced",
        "what a block quantizes: a slice of the vector (sliced), a random projection of it (projected) or one that is "
        "learned from there (learned)",
        one_of=("sliced", "projected", "learned"),
    )


@full_precision
class Projections(nn.Module):
    """P_i (n_d, D, D / n_d), Glorot-uniform; a buffer, or a parameter if ``learned``."""

    def __init__(self, blocks: int, dim: int, learned: bool):
        super().__init__()
        weight = torch.empty(blocks, dim, dim // blocks)
        for matrix in weight:
            nn.init.xavier_uniform_(matrix)
        if learned:
            self.weight = nn.Parameter(weight)
        else:
            self.register_buffer("weight", weight)

    def forward(self, z: Tensor) -> list[Tensor]:
        """z (N, D) as n_d blocks (N, D / n_d)."""
        return [z @ matrix for matrix in self.weight]


@register_bottleneck("product", ProductOptions)
class Product(Bottleneck):
    """n_d quantizers side by side, each of K' = K^(1 / n_d) codes for D' = D / n_d components.

    Sliced: block i is the i-th slice of z. Projected: z P_i, with frozen random P_i (Kaiser et al. 2018); the
    output, the blocks side by side, is then in the projections' coordinates. The code is sum_i c_i K'^i. A loss
    is the mean of the blocks', as the mean over dimensions would be. Each block smooths with its own K'.
    """

    blocks: Sequence[Bottleneck]

    def __init__(self, config: ProductOptions, dim: int):
        blocks = config.product_blocks
        size = digits.base_of(config.codebook_size, blocks, "product-blocks")
        if dim % blocks:
            raise UserError(f"--product-blocks {blocks} is not possible: it does not divide {dim} dimensions")
        super().__init__(Codebook(config.codebook_size))
        inner = config.product_inner
        refuse_unused(f"--product-inner {inner}", inner, config, INNER)
        values = {name: getattr(config, name) for name in bottleneck_fields(inner)} | {"codebook_size": size}
        self.block_size = size
        self.blocks = nn.ModuleList(  # type: ignore[assignment]
            build_bottleneck(inner, SimpleNamespace(**values), dim // blocks) for _ in range(blocks)
        )
        self.draws = any(block.draws for block in self.blocks)
        learned = config.product_projection == "learned"
        self.projections = None if config.product_projection == "sliced" else Projections(blocks, dim, learned)

    @property
    def started(self) -> bool:
        return all(block.started for block in self.blocks)

    def _parts(self, z: Tensor) -> Sequence[Tensor]:
        """z (N, D) as what each of the n_d blocks quantizes (N, D')."""
        return z.chunk(len(self.blocks), -1) if self.projections is None else self.projections(z)

    def quantize(self, z: Tensor, weights: Tensor) -> Quantized:
        mask = weights.bool().unsqueeze(1)
        outputs = []
        for block, part in zip(self.blocks, self._parts(z), strict=True):
            block.accumulating = self.accumulating
            outputs.append(block(part.unsqueeze(1), mask))
        codes = digits.combine([o.samples.squeeze(1) for o in outputs], self.block_size)  # (N, m)
        losses = {name: torch.stack([o.losses[name][0] for o in outputs]).mean(0) for name in outputs[0].losses}
        return Quantized(torch.cat([o.quantized.squeeze(1) for o in outputs], -1), codes, losses)

    def assign(self, z: Tensor) -> Tensor:
        parts = zip(self.blocks, self._parts(z), strict=True)
        return digits.combine([block.encode(part.unsqueeze(1)).squeeze(1) for block, part in parts], self.block_size)

    def embed(self, codes: Tensor) -> Tensor:
        parts = zip(self.blocks, digits.split(codes, self.block_size, len(self.blocks)), strict=True)
        return torch.cat([block.embed(part) for block, part in parts], -1)

    def discard(self) -> None:
        super().discard()
        for block in self.blocks:
            block.discard()

    def apply_update(self) -> None:
        super().apply_update()
        for block in self.blocks:
            block.apply_update()
