"""Images that models make: reconstructions of an autoencoder, samples of a prior."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from vqnat.errors import UserError
from vqnat.image.autoencoders.autoencoder import ImageAutoencoder
from vqnat.image.autoencoders.likelihood import to_bytes
from vqnat.image.datasets.split_files import open_split
from vqnat.image.priors.image_prior import ImagePrior


def pick(folder: Path, split: str, count: int) -> Tensor:
    """The first ``count`` images of a split, (count, 3, H, W) uint8.

    Raises:
        UserError: the data is damaged or ``count`` is not possible.
    """
    if count < 1:
        raise UserError(f"--count {count} is not possible; valid: 1 or more")
    images = np.array(open_split(folder, split)[:count])
    return torch.from_numpy(images).permute(0, 3, 1, 2).contiguous()


@torch.no_grad()
def reconstruct(model: ImageAutoencoder, images: Tensor) -> Tensor:
    """Encode images (B, 3, H, W) uint8 to their nearest codes and decode them; the same shape and type.

    Raises:
        UserError: the images do not have the size that the model was trained on.
    """
    if tuple(images.shape[2:]) != model.image_size:
        theirs, ours = ("{} x {}".format(*size) for size in (images.shape[2:], model.image_size))
        raise UserError(f"images of {theirs} pixels; the model was trained on {ours}")
    return to_bytes(model(images).reconstruction)


@torch.no_grad()
def sample_images(prior: ImagePrior, model: ImageAutoencoder, count: int, temperature: float, seed: int) -> Tensor:
    """New images (count, 3, H, W) uint8: codes drawn from the prior, decoded.

    Raises:
        UserError: ``count`` or ``temperature`` is impossible.
    """
    if count < 1:
        raise UserError(f"--count {count} is not possible; valid: 1 or more")
    if temperature < 0:
        raise UserError(f"--temperature {temperature} is not possible; valid: 0 or more")
    generator = torch.Generator(prior.start.device).manual_seed(seed)
    return to_bytes(model.decode_codes(prior.sample(count, temperature, generator)))
