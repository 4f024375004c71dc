"""The image VQ-VAE (van den Oord et al. 2017) with any bottleneck."""

from fairseq.models import register_model
from torch import Tensor

from vqnat.errors import UserError
from vqnat.image.autoencoders.autoencoder import ImageAutoencoder, ImageOutput
from vqnat.image.autoencoders.autoencoder_config import ImageVQVAEConfig
from vqnat.image.autoencoders.codebooks import build_codebooks
from vqnat.models.latent_transformer_options import TakesBottleneckOptions


@register_model("image_vqvae", dataclass=ImageVQVAEConfig)
class ImageVQVAE(TakesBottleneckOptions, ImageAutoencoder):
    """Encoder, discrete bottleneck, decoder.

    Attributes:
        bottleneck: one of :mod:`vqnat.bottlenecks`, or a :class:`ManyCodebooks` of one per latent channel.
    """

    def __init__(self, config: ImageVQVAEConfig, image_size: tuple[int, int], own_defaults: object):
        super().__init__(config, image_size, config.code_dim)
        if config.codebooks not in (1, config.latent_channels):
            raise UserError(
                f"--codebooks {config.codebooks} is not possible; valid: 1, or --latent-channels, which is "
                f"{config.latent_channels}"
            )
        self.bottleneck = build_codebooks(config, own_defaults, config.code_dim)

    @classmethod
    def build_model(cls, config: ImageVQVAEConfig, task) -> "ImageVQVAE":
        """Build from the options and the task's image size (fairseq calls this)."""
        return cls(config, task.image_size, getattr(cls, "__dataclass")())

    def forward(self, images: Tensor) -> ImageOutput:
        """Images (B, 3, H, W) uint8, encoded, quantized and decoded."""
        z = self.encode(images)  # (B, T, D)
        latents = self.bottleneck(z, self.real(len(z), z.device))
        return ImageOutput(self.decode(latents.quantized), latents, z=z)

    def decode_codes(self, codes: Tensor) -> Tensor:
        """Codes (B, T) to the ``reconstruction`` of :class:`ImageOutput`."""
        return self.decode(self.bottleneck.embed(codes))
