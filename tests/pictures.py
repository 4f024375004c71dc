"""Small synthetic pictures for tests: colored squares on a gradient, and models of a few parameters."""

from pathlib import Path

import bitext
import numpy as np
import torch
from PIL import Image

from vqnat.image.autoencoders.vqvae_presets import ImageVQVAERoy2018, Roy2018Config
from vqnat.image.datasets.prepare import write_splits

SMALL = {"hidden-size": 16, "latent-channels": 2, "code-dim": 8, "residual-layers": 1}
SMALL_ARGS = [word for option, value in SMALL.items() for word in (f"--{option}", value)]
PRIOR_ARGS = ["--prior-layers", 2, "--prior-dim", 16, "--prior-ffn-dim", 32, "--prior-heads", 2, "--block-length", 3]


def draw(count: int, size: int = 8, seed: int = 1) -> np.ndarray:
    """(count, size, size, 3) uint8."""
    random = np.random.default_rng(seed)
    slope = np.linspace(0, 60, size)[None, :, None, None] + random.integers(0, 100, (count, 1, 1, 3))
    images = np.broadcast_to(slope, (count, size, size, 3)).astype(np.uint8).copy()
    for image in images:
        top, left = random.integers(0, size // 2, 2)
        image[top : top + size // 2, left : left + size // 2] = random.integers(0, 256, 3)
    return images


def write(folder: Path, train: int = 48, valid: int = 12, test: int = 12, size: int = 8) -> Path:
    """A data folder as the scripts of data-prep make it."""
    images = draw(train + valid + test, size)
    parts = np.split(images, [train, train + valid])
    write_splits(folder, dict(zip(("train", "valid", "test"), parts, strict=True)), "squares")
    return folder


def write_files(folder: Path, count: int, size: int = 12, ending: str = "png") -> Path:
    """Picture files 000.png, 001.png, ..."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, image in enumerate(draw(count, size)):
        Image.fromarray(image).save(folder / f"{number:03}.{ending}")
    return folder


def model(size: int = 8, **options: object) -> ImageVQVAERoy2018:
    """A small VQ-VAE whose codebook is random, ready to use."""
    small = {name.replace("-", "_"): value for name, value in SMALL.items()}
    config = Roy2018Config(**(small | {"codebook_size": 8, "codebook_start": "random"} | options))
    torch.manual_seed(1)
    return ImageVQVAERoy2018(config, (size, size), Roy2018Config())


def train_vqvae(data, folder, updates, *more):
    """fairseq-train for a soft-EM VQ-VAE; returns the process and the checkpoint."""
    done = bitext.run(
        *("fairseq-train", data, "--user-dir", "vqnat/image", "--task", "image_vqvae", "--cpu"),
        *("--arch", "image_vqvae_roy2018", "--criterion", "image_vqvae_loss", *SMALL_ARGS),
        *("--bottleneck", "soft_em", "--num-samples", 3, "--codebook-size", 16, "--codebook-start-updates", 4),
        *("--optimizer", "adam", "--lr", 0.003, "--batch-size", 10, "--max-update", updates, "--seed", 1),
        *("--save-dir", folder, "--log-format", "json", "--log-interval", 1, "--no-epoch-checkpoints", *more),
    )
    return done, folder / "checkpoint_last.pt"
