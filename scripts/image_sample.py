#!/usr/bin/env python3
"""Sample new images from a prior over the codes of an image VQ-VAE, as one PNG file."""

import argparse
import logging
from pathlib import Path

import checkout  # noqa: F401  (the checkout's packages and .venv)

logging.disable(logging.INFO)  # fairseq logs when it is imported

from vqnat.errors import run_command  # noqa: E402
from vqnat.image.reports.image_grids import grid, save_png  # noqa: E402
from vqnat.image.reports.model_images import sample_images  # noqa: E402
from vqnat.image.trained_models import load_prior  # noqa: E402


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--path", type=Path, required=True, help="checkpoint of the prior")
    parser.add_argument("--vqvae", type=Path, help="checkpoint of the VQ-VAE, if it has moved since the training")
    parser.add_argument("--data", type=Path, help="folder of images, if it has moved since the training")
    parser.add_argument("--count", type=int, default=16, help="number of images (default: %(default)s)")
    parser.add_argument(
        "--temperature",
        type=float,
        default=1.0,
        help="of the softmax; 0: likeliest codes (default: %(default)s)",
    )
    parser.add_argument("--seed", type=int, default=1, help="random seed (default: %(default)s)")
    parser.add_argument("--out", type=Path, required=True, help="PNG file to write")
    args = parser.parse_args()
    prior, model = load_prior(args.path, args.vqvae, args.data)
    images = sample_images(prior, model, args.count, args.temperature, args.seed)
    save_png(grid(images, 8), args.out)
    print(args.out)


if __name__ == "__main__":
    run_command("image_sample", main)
