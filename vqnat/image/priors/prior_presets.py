"""Presets of the prior."""

from dataclasses import dataclass

from fairseq.models import register_model

from vqnat.image.priors.image_prior import ImagePrior, ImagePriorConfig


@dataclass
class ImagePriorSmallConfig(ImagePriorConfig):
    """3 layers, 128 wide: for a CPU."""

    prior_layers: int = 3
    prior_dim: int = 128
    prior_ffn_dim: int = 512
    prior_heads: int = 4
    block_length: int = 64


@register_model("image_latent_transformer_small", dataclass=ImagePriorSmallConfig)
class ImagePriorSmall(ImagePrior):
    __doc__ = ImagePriorSmallConfig.__doc__
