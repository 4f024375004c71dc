"""Images side by side, reconstructions, and samples of a prior."""

from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from vqnat.errors import UserError
from vqnat.image.autoencoders.autoencoder import ImageAutoencoder
from vqnat.image.autoencoders.likelihood import to_bytes
from vqnat.image.datasets.split_files import open_split
from vqnat.image.priors.image_prior import ImagePrior
from vqnat.image.trained_models import load_model

GAP = 2  # pixels between images


def grid(images: Tensor, columns: int) -> np.ndarray:
    """Images (N, 3, H, W) uint8 in rows of ``columns`` on white: (rows, columns, 3) uint8 pixels."""
    count, _, height, width = images.shape
    rows = -(-count // columns)
    shape = (rows * (height + GAP) - GAP, columns * (width + GAP) - GAP, 3)
    canvas = np.full(shape, 255, dtype=np.uint8)
    for number, image in enumerate(images.permute(0, 2, 3, 1).cpu().numpy()):
        top, left = (number // columns) * (height + GAP), (number % columns) * (width + GAP)
        canvas[top : top + height, left : left + width] = image
    return canvas


def save_png(canvas: np.ndarray, path: Path, smallest: int = 600) -> None:
    """Write pixels (H, W, 3) as PNG, enlarged by a whole factor until ``smallest`` pixels wide."""
    factor = max(1, smallest // canvas.shape[1])
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(canvas.repeat(factor, 0).repeat(factor, 1)).save(path)


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
    """What the autoencoder makes of images (B, 3, H, W) uint8 with its nearest codes; the same shape and type.

    Raises:
        UserError: the images have another size than the model's.
    """
    if tuple(images.shape[2:]) != model.image_size:
        theirs, ours = ("{} x {}".format(*size) for size in (images.shape[2:], model.image_size))
        raise UserError(f"images of {theirs} pixels; the model was trained on {ours}")
    return to_bytes(model(images).reconstruction)


def beside(originals: Tensor, made: Tensor, columns: int) -> np.ndarray:
    """Pixels with each row of originals above the row of their reconstructions."""
    rows = []
    for first, second in zip(originals.split(columns), made.split(columns), strict=True):
        missing = columns - len(first)
        rows += [torch.cat([part, part.new_full((missing, *part.shape[1:]), 255)]) for part in (first, second)]
    return grid(torch.cat(rows), columns)


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


def load_prior(path: Path, vqvae: Path | None = None, data: Path | None = None) -> tuple[ImagePrior, ImageAutoencoder]:
    """A trained prior and the autoencoder whose codes it knows.

    Args:
        path: checkpoint of the prior.
        vqvae: checkpoint of the autoencoder, where it is not where it was in training.
        data: folder of images, likewise.

    Raises:
        UserError: a file is missing, or of another kind.
    """
    given = {name: str(value) for name, value in (("vqvae", vqvae), ("data", data)) if value}
    prior, task = load_model(path, given)
    if not isinstance(prior, ImagePrior):
        raise UserError(f"{path}: an autoencoder, not a prior")
    return prior, task.autoencoder
