"""Many images as one picture."""

from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

# Not torchvision.utils.make_grid: torchvision must match torch's build exactly and cannot be imported beside ours.
GAP = 2  # pixels between images


def grid(images: Tensor, columns: int) -> np.ndarray:
    """Images (N, 3, H, W) uint8 in rows of ``columns`` on white: one picture of (height, width, 3) uint8 pixels."""
    count, _, height, width = images.shape
    rows = -(-count // columns)
    shape = (rows * (height + GAP) - GAP, columns * (width + GAP) - GAP, 3)
    canvas = np.full(shape, 255, dtype=np.uint8)
    for number, image in enumerate(images.permute(0, 2, 3, 1).cpu().numpy()):
        top, left = (number // columns) * (height + GAP), (number % columns) * (width + GAP)
        canvas[top : top + height, left : left + width] = image
    return canvas


def save_png(canvas: np.ndarray, path: Path, smallest: int = 600) -> None:
    """Write pixels (H, W, 3) as PNG, enlarged by an integer factor to nearly ``smallest`` pixels in width."""
    factor = max(1, smallest // canvas.shape[1])
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(canvas.repeat(factor, 0).repeat(factor, 1)).save(path)


def beside(originals: Tensor, made: Tensor, columns: int) -> np.ndarray:
    """One picture with each row of originals above the row of their reconstructions."""
    rows = []
    for first, second in zip(originals.split(columns), made.split(columns), strict=True):
        missing = columns - len(first)
        rows += [torch.cat([part, part.new_full((missing, *part.shape[1:]), 255)]) for part in (first, second)]
    return grid(torch.cat(rows), columns)
