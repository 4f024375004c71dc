"""Quality of a reconstruction: code length in bits, squared error."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

LEVELS = 256  # values of a sub-pixel


def bits_per_dim(pixel_nats: float, code_nats: float, num_dims: int, num_codes: int) -> float:
    """(l_p n_x + l_lp n_z) / n_x * log2 e, the negative log-likelihood of Roy et al. 2018, section 5.2.

    -log P(x) <= -log P(x | z) - log P(z) is the code length of an image sent as its codes, followed by its sub-pixels
    given the codes.

    Args:
        pixel_nats: l_p, mean cross-entropy per sub-pixel in nats.
        code_nats: l_lp, mean cross-entropy per code in nats.
        num_dims: n_x, sub-pixels per image (3072 for 32 x 32).
        num_codes: n_z, codes per image (640 for 8 x 8 x 10).
    """
    return (pixel_nats * num_dims + code_nats * num_codes) / num_dims * math.log2(math.e)


def pixel_nats(logits: Tensor, images: Tensor) -> Tensor:
    """Cross-entropy of every sub-pixel in nats.

    Args:
        logits: (B, 3, H, W, 256).
        images: (B, 3, H, W) uint8.

    Returns:
        (B, 3, H, W) float32.
    """
    # Classes in dimension 1, as the last layer stores them: any other order would make torch copy all logits.
    logits = logits.movedim(-1, 2).flatten(0, 1)  # (3 B, 256, H, W)
    return F.cross_entropy(logits.float(), images.flatten(0, 1).long(), reduction="none").view(images.shape)


def gaussian_kl(mean: Tensor, log_variance: Tensor) -> Tensor:
    """KL(N(mean, exp(log_variance)) || N(0, 1)) in nats, element-wise; same shape as the arguments."""
    return (mean.square() + log_variance.exp() - 1 - log_variance) / 2


def squared_error(output: Tensor, images: Tensor) -> Tensor:
    """(x^ - x)^2 of every sub-pixel, for values in [0, 1].

    Args:
        output: (B, 3, H, W) in [0, 1], or (B, 3, H, W, 256) logits, whose argmax is taken.
        images: (B, 3, H, W) uint8.
    """
    return (to_unit(output) - images.float() / (LEVELS - 1)).square()


def to_unit(output: Tensor) -> Tensor:
    """A decoder's output as values in [0, 1], (B, 3, H, W) float32."""
    if output.dim() == 5:
        return output.argmax(-1).float() / (LEVELS - 1)
    return output.float()


def to_bytes(output: Tensor) -> Tensor:
    """A decoder's output as an image (B, 3, H, W) uint8."""
    return (to_unit(output).clamp(0, 1) * (LEVELS - 1)).round().to(torch.uint8)
