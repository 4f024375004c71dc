"""The continuous VAE that Roy et al. 2018 compare with (table 2, "VAE")."""

from dataclasses import dataclass

import torch
from fairseq.models import register_model
from torch import Tensor

from vqnat.image.autoencoders.autoencoder import ImageAutoencoder, ImageOutput
from vqnat.image.autoencoders.autoencoder_config import ConvConfig
from vqnat.image.autoencoders.likelihood import gaussian_kl

SMALLEST, LARGEST = -10.0, 10.0  # log variances, whose exponential stays finite in half precision


@dataclass
class ImageVAEConfig(ConvConfig):
    """Options of ``--arch image_vae_roy2018``: the convolutions of ``image_vqvae_roy2018``."""


@register_model("image_vae_roy2018", dataclass=ImageVAEConfig)
class ImageVAE(ImageAutoencoder):
    """A Gaussian posterior over each component and a standard normal prior (Kingma and Welling 2014).

    -log P(x) <= E -log P(x | z) + KL(q(z | x) || N(0, 1)), estimated with one sample of z, which in evaluation is the
    same for every call. The paper's figure comes from van den Oord et al. 2017, without sizes of the model.
    """

    def __init__(self, config: ImageVAEConfig, image_size: tuple[int, int]):
        super().__init__(config, image_size, 2 * config.code_dim)

    @classmethod
    def build_model(cls, config: ImageVAEConfig, task) -> "ImageVAE":
        """Build from the options and the task's image size (fairseq calls this)."""
        return cls(config, task.image_size)

    def forward(self, images: Tensor) -> ImageOutput:
        """Images (B, 3, H, W) uint8, encoded, sampled from the posterior and decoded."""
        mean, log_variance = self.encode(images).float().chunk(2, -1)  # (B, T, D) each
        log_variance = log_variance.clamp(SMALLEST, LARGEST)
        generator = None if self.training else torch.Generator(mean.device).manual_seed(1)
        noise = torch.randn(mean.shape, generator=generator, device=mean.device)
        z = mean + (log_variance / 2).exp() * noise
        return ImageOutput(self.decode(z), kl=gaussian_kl(mean, log_variance).sum())
