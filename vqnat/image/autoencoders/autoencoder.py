"""The base of all image autoencoders: convolutions around a field of latent vectors."""

from dataclasses import dataclass

import torch
from fairseq.models import BaseFairseqModel
from torch import Tensor

from vqnat.bottlenecks import BottleneckOutput
from vqnat.image.autoencoders.autoencoder_config import ConvConfig, conv_shape, latent_field
from vqnat.image.autoencoders.convolutions import ConvDecoder, ConvEncoder
from vqnat.image.autoencoders.likelihood import LEVELS


@dataclass
class ImageOutput:
    """An autoencoder's output for images (B, 3, H, W).

    Attributes:
        reconstruction: (B, 3, H, W, 256) logits with ``--output softmax``, (B, 3, H, W) values around [0, 1]
            with ``--output mse``.
        latents: the bottleneck's record; None without a bottleneck.
        kl: KL divergence of continuous latents in nats, summed over the batch; None for discrete ones.
        z: (B, T, D) the encoder's output, which the bottleneck read; None without a bottleneck.
    """

    reconstruction: Tensor
    latents: BottleneckOutput | None = None
    kl: Tensor | None = None
    z: Tensor | None = None


class ImageAutoencoder(BaseFairseqModel):
    """Strided convolutions down to a field of h x w places with c vectors of D components each, and back up.

    Latents form a sequence of T = h w c positions, ordered by row, column and channel.

    Attributes:
        field: (h, w, c).
    """

    def __init__(self, config: ConvConfig, image_size: tuple[int, int], encoder_dim: int):
        """Build both halves.

        Args:
            config: the options.
            image_size: (H, W) in pixels.
            encoder_dim: D', numbers that the encoder writes for each latent vector: D, or 2 D for a Gaussian.

        Raises:
            UserError: an option is impossible.
        """
        super().__init__()
        self.config = config
        self.image_size = image_size
        self.field = latent_field(config, image_size)
        channels = config.latent_channels
        self.encoder = ConvEncoder(conv_shape(config), channels * encoder_dim)
        self.levels = LEVELS if config.output == "softmax" else 1
        self.decoder = ConvDecoder(conv_shape(config), channels * config.code_dim, 3 * self.levels)

    @property
    def num_latents(self) -> int:
        """T = h w c, the papers' n_z."""
        height, width, channels = self.field
        return height * width * channels

    def encode(self, images: Tensor) -> Tensor:
        """Images (B, 3, H, W) uint8 to latent vectors (B, T, D')."""
        like = next(self.encoder.parameters())
        x = images.to(like.dtype) / ((LEVELS - 1) / 2) - 1  # (B, 3, H, W) in [-1, 1]
        x = self.encoder(x)  # (B, c D', h, w)
        return x.unflatten(1, (self.field[2], -1)).permute(0, 3, 4, 1, 2).flatten(1, 3)

    def decode(self, vectors: Tensor) -> Tensor:
        """Latent vectors (B, T, D) to the ``reconstruction`` of :class:`ImageOutput`."""
        x = vectors.unflatten(1, self.field).permute(0, 3, 4, 1, 2).flatten(1, 2)  # (B, c D, h, w)
        x = self.decoder(x.to(self.decoder.output.weight.dtype))  # (B, 3 L, H, W)
        if self.levels == 1:
            return x + 0.5  # an output layer of zeros paints gray
        return x.unflatten(1, (3, self.levels)).movedim(2, -1)  # (B, 3, H, W, 256)

    def real(self, batch: int, device: torch.device) -> Tensor:
        """The mask (B, T) of real positions, for the bottleneck: all are real."""
        return torch.ones(batch, self.num_latents, dtype=torch.bool, device=device)
