"""Product quantisation: the decomposed vector quantisation of Kaiser et al. 2018 (section 3.2)."""

from dataclasses import dataclass, field, fields

import torch
from torch import Tensor, nn

from vqnat.bottlenecks.bottleneck import Bottleneck, Quantized
from vqnat.bottlenecks.full_precision import FullPrecision
from vqnat.bottlenecks.hard_em import HardEM, HardEMConfig
from vqnat.bottlenecks.options import check
from vqnat.bottlenecks.registry import refuse_unused, register_bottleneck
from vqnat.bottlenecks.soft_em import SoftEM, SoftEMConfig
from vqnat.bottlenecks.usage import CodeCounts
from vqnat.bottlenecks.vq import VQ, VQConfig
from vqnat.errors import UserError

INNER = {"vq": (VQ, VQConfig), "hard_em": (HardEM, HardEMConfig), "soft_em": (SoftEM, SoftEMConfig)}
PROJECTIONS = ("sliced", "projected", "learned")


@dataclass
class ProductConfig(VQConfig, SoftEMConfig):
    """Options of ``product``: its own, and those of the quantiser of each block."""

    product_inner: str = field(
        default="hard_em", metadata={"help": f"quantiser of each block of product: {', '.join(INNER)}"}
    )
    product_blocks: int = field(
        default=2, metadata={"help": "n_d, blocks of product; each has the n_d-th root of K codes, D / n_d components"}
    )
    product_projection: str = field(
        default="sliced",
        metadata={
            "help": "what a block quantises: a slice of the vector (sliced), a random projection of it (projected) "
            "or one that is learned from there (learned)"
        },
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        check(
            self,
            ("product_inner", self.product_inner in INNER, ", ".join(INNER)),
            ("product_blocks", self.product_blocks >= 1, "1 or more"),
            ("product_projection", self.product_projection in PROJECTIONS, ", ".join(PROJECTIONS)),
        )
        configs = {name: config for name, (_, config) in INNER.items()}
        refuse_unused(f"--product-inner {self.product_inner}", configs[self.product_inner], self, configs)


class Projections(FullPrecision):
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


@register_bottleneck("product", ProductConfig)
class Product(Bottleneck):
    """n_d quantisers side by side, each of K' = K^(1 / n_d) codes for D' = D / n_d components.

    Sliced: block i is the i-th slice of z. Projected: z P_i, with frozen random P_i (Kaiser et al. 2018); the
    output, the blocks side by side, is then in the projections' coordinates. The code is sum_i c_i K'^i. A loss
    is the mean of the blocks', as the mean over dimensions would be. Each block smooths with its own K'.
    """

    def __init__(self, config: ProductConfig, dim: int):
        blocks = config.product_blocks
        size = round(config.codebook_size ** (1 / blocks))
        if size < 2 or size**blocks != config.codebook_size:
            raise UserError(
                f"--product-blocks {blocks} is not possible with --codebook-size {config.codebook_size}; "
                f"valid: numbers of blocks whose power a whole number of codes (2 or more) makes it"
            )
        if dim % blocks:
            raise UserError(f"--product-blocks {blocks} is not possible: it does not divide {dim} dimensions")
        super().__init__(CodeCounts(config.codebook_size))
        quantiser, inner = INNER[config.product_inner]
        values = {option.name: getattr(config, option.name) for option in fields(inner)} | {"codebook_size": size}
        self.block_size = size
        self.blocks = nn.ModuleList(quantiser(inner(**values), dim // blocks) for _ in range(blocks))
        learned = config.product_projection == "learned"
        self.projections = None if config.product_projection == "sliced" else Projections(blocks, dim, learned)

    @property
    def started(self) -> bool:
        return all(block.started for block in self.blocks)

    def quantize(self, z: Tensor, weights: Tensor, batch: int) -> Quantized:
        parts = self.projections(z) if self.projections else z.chunk(len(self.blocks), -1)  # n_d x (N, D')
        mask = weights.bool().unsqueeze(1)
        outputs = []
        for block, part in zip(self.blocks, parts, strict=True):
            block.accumulating = self.accumulating
            outputs.append(block(part.unsqueeze(1), mask))
        codes = sum(o.samples.squeeze(1) * self.block_size**i for i, o in enumerate(outputs))  # (N, m)
        losses = {name: sum(o.losses[name][0] for o in outputs) / len(outputs) for name in outputs[0].losses}
        return Quantized(torch.cat([o.quantized.squeeze(1) for o in outputs], -1), codes, losses)

    def embed(self, codes: Tensor) -> Tensor:
        size = self.block_size
        return torch.cat([block.embed(codes // size**i % size) for i, block in enumerate(self.blocks)], -1)

    def discard(self) -> None:
        super().discard()
        for block in self.blocks:
            block.discard()

    def apply_update(self) -> None:
        super().apply_update()
        for block in self.blocks:
            block.apply_update()
