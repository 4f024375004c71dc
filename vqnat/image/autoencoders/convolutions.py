"""The convolutional encoder of an image autoencoder, and the decoder that mirrors it."""

from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor, nn

GROUPS = 8


@dataclass(frozen=True)
class ConvShape:
    """Sizes of encoder and decoder.

    Attributes:
        width: channels of the hidden layers.
        kernel: kernel size of the strided convolutions, 4 or 5.
        halvings: number of strided convolutions, each of which halves height and width.
        residuals: number of residual layers after them.
        middle: whether there is a 3 x 3 convolution between the two.
    """

    width: int
    kernel: int
    halvings: int
    residuals: int
    middle: bool


def normed(channels: int) -> nn.GroupNorm:
    """Group normalization: unlike batch normalization, it keeps an image's codes independent of its batch."""
    return nn.GroupNorm(GROUPS if channels % GROUPS == 0 else 1, channels)


class ResidualLayer(nn.Module):
    """x + conv1x1(ReLU(norm(conv3x3(ReLU(norm(x))))))."""

    def __init__(self, width: int):
        super().__init__()
        self.block = nn.Sequential(
            normed(width),
            nn.ReLU(),
            nn.Conv2d(width, width, 3, padding=1, bias=False),
            normed(width),
            nn.ReLU(),
            nn.Conv2d(width, width, 1),
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + self.block(x)


class ConvEncoder(nn.Module):
    """Images (B, 3, H, W) to features (B, out, H / 2^n, W / 2^n), n halvings."""

    def __init__(self, shape: ConvShape, out: int):
        super().__init__()
        layers: list[nn.Module] = []
        channels, padding = 3, (shape.kernel - 1) // 2
        for _ in range(shape.halvings):
            layers += [nn.Conv2d(channels, shape.width, shape.kernel, 2, padding), normed(shape.width), nn.ReLU()]
            channels = shape.width
        if shape.middle:
            layers.append(nn.Conv2d(channels, shape.width, 3, padding=1))
        layers += [ResidualLayer(shape.width) for _ in range(shape.residuals)]
        # The papers' dense layer, shared by all places, is a 1 x 1 convolution.
        self.layers = nn.Sequential(*layers, normed(shape.width), nn.ReLU(), nn.Conv2d(shape.width, out, 1))

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x)


class ConvDecoder(nn.Module):
    """Features (B, inputs, H / 2^n, W / 2^n) to (B, out, H, W), n halvings."""

    def __init__(self, shape: ConvShape, inputs: int, out: int):
        super().__init__()
        layers: list[nn.Module] = [nn.Conv2d(inputs, shape.width, 1)]
        layers += [ResidualLayer(shape.width) for _ in range(shape.residuals)]
        if shape.middle:
            layers.append(nn.Conv2d(shape.width, shape.width, 3, padding=1))
        padding, odd = (shape.kernel - 1) // 2, shape.kernel % 2
        for _ in range(shape.halvings):
            layers += [
                normed(shape.width),
                nn.ReLU(),
                nn.ConvTranspose2d(shape.width, shape.width, shape.kernel, 2, padding, output_padding=odd),
            ]
        self.layers = nn.Sequential(*layers)
        self.output = nn.Conv2d(shape.width, out, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.output(F.relu(self.layers(x)))
