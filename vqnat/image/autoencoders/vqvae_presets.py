"""Presets of the image VQ-VAE, one per paper and data set."""

from dataclasses import dataclass

from fairseq.models import register_model

from vqnat.image.autoencoders.autoencoder_config import ImageVQVAEConfig
from vqnat.image.autoencoders.vqvae import ImageVQVAE


@dataclass
class Roy2018Config(ImageVQVAEConfig):
    """Roy et al. 2018, section 5.2: 8 x 8 x 10 codes of 512 components for 32 x 32 pixels, K = 2^8.

    The text's "4 convolutional layers" are, in the authors' code, two 5 x 5 convolutions with stride 2 (32 -> 8),
    followed by two residual layers and a dense layer to 10 x 512.
    """

    codebook_size: int = 256


@dataclass
class GMVQConfig(ImageVQVAEConfig):
    """Yan et al. 2024, CIFAR-10: 8 x 8 codes of 64 components for 32 x 32 pixels, K = 1024, squared error.

    The paper does not describe the encoder; this one follows the closest public code: two 4 x 4 convolutions with
    stride 2, a 3 x 3 convolution, two residual blocks. The paper initializes every codebook by k-means and replaces
    dead codes only in the rows of its table that say so.
    """

    hidden_size: int = 128
    kernel_size: int = 4
    middle_convolution: bool = True
    latent_channels: int = 1
    code_dim: int = 64
    output: str = "mse"
    bottleneck: str = "gm_vq"
    codebook_size: int = 1024
    dead_code_threshold: float = 0.0


@dataclass
class GMVQCelebAConfig(GMVQConfig):
    """Yan et al. 2024, CelebA at 128 x 128: 16 x 16 codes, one halving more; the paper does not state the depth."""

    halvings: int = 3


@register_model("image_vqvae_roy2018", dataclass=Roy2018Config)
class ImageVQVAERoy2018(ImageVQVAE):
    __doc__ = Roy2018Config.__doc__


@register_model("image_vqvae_gmvq", dataclass=GMVQConfig)
class ImageVQVAEGMVQ(ImageVQVAE):
    __doc__ = GMVQConfig.__doc__


@register_model("image_vqvae_gmvq_celeba", dataclass=GMVQCelebAConfig)
class ImageVQVAEGMVQCelebA(ImageVQVAE):
    __doc__ = GMVQCelebAConfig.__doc__
