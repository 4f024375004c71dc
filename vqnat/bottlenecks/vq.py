"""VQ-VAE with a codebook trained by its loss (van den Oord et al. 2017)."""

from dataclasses import dataclass

from vqnat.bottlenecks.core.codebook import StartOptions
from vqnat.bottlenecks.core.gradient_codebook import GradientCodebook
from vqnat.bottlenecks.core.options import SizeOptions, codebook_weight_option, option
from vqnat.bottlenecks.core.registry import register_bottleneck
from vqnat.bottlenecks.core.vector_quantizer import QuantizerOptions, VectorQuantizer


@dataclass
class VQOptions(SizeOptions, StartOptions, QuantizerOptions):
    """Options of ``vq``."""

    codebook_weight: float = codebook_weight_option()
    codebook_affine: float = option(
        0.0,
        "l of the affine reparameterization (1 + l s) e + l b, with s and b learned by all codes together (Huh et al. "
        "2023: 2 to 10); 0: none",
        least=0,
    )
    codebook_inner_lr: float = option(
        0.0,
        "alternating optimization: the codes make one step of gradient descent with this rate before each step of the "
        "model, whose optimizer leaves them alone (Huh et al. 2023); 0: the optimizer trains them",
        least=0,
    )


@register_bottleneck("vq", VQOptions)
class VQ(VectorQuantizer):
    """The nearest code; L = w ||sg z - q||^2 + beta ||z - sg q||^2 (eq. 3).

    The loss alpha [(1 - b) C + b B] of Huh et al. 2023 is ``--commitment`` alpha (1 - b), ``--codebook-weight``
    alpha b.
    """

    def __init__(self, config: VQOptions, dim: int):
        size, affine, inner_lr = config.codebook_size, config.codebook_affine, config.codebook_inner_lr
        codebook = GradientCodebook(size, dim, config, config.codebook_l2, affine, inner_lr)
        super().__init__(config, codebook, config.codebook_weight)
