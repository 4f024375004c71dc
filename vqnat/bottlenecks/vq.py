"""VQ-VAE with a codebook trained by its loss (van den Oord et al. 2017)."""

from dataclasses import dataclass

from vqnat.bottlenecks.gradient_codebook import GradientCodebook, GradientCodebookConfig
from vqnat.bottlenecks.quantiser import QuantiserConfig, VectorQuantiser
from vqnat.bottlenecks.registry import register_bottleneck


@dataclass
class VQConfig(GradientCodebookConfig, QuantiserConfig):
    """Options of ``vq``."""


@register_bottleneck("vq", VQConfig)
class VQ(VectorQuantiser):
    """The nearest code; L = w ||sg z - q||^2 + beta ||z - sg q||^2 (eq. 3).

    The loss alpha [(1 - b) C + b B] of Huh et al. 2023 is ``--commitment`` alpha (1 - b), ``--codebook-weight``
    alpha b.
    """

    def __init__(self, config: VQConfig, dim: int):
        codebook = GradientCodebook(
            config, dim, config.codebook_l2, affine=config.codebook_affine, inner_lr=config.codebook_inner_lr
        )
        super().__init__(config, codebook)
