#!/usr/bin/env python3
"""New images from a prior over the codes of an image VQ-VAE, as one PNG file."""

import argparse
import logging
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
logging.disable(logging.INFO)  # what fairseq says when it is imported

from vqnat.errors import run_command  # noqa: E402
from vqnat.image.reports import image_grids as show  # noqa: E402


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--path", type=Path, required=True, help="checkpoint of the prior")
    parser.add_argument("--vqvae", type=Path, help="checkpoint of the VQ-VAE, where it has moved since the training")
    parser.add_argument("--data", type=Path, help="folder of images, where it has moved since the training")
    parser.add_argument("--count", type=int, default=16, help="how many images (default: %(default)s)")
    parser.add_argument("--temperature", type=float, default=1.0, help="of the softmax (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of the random numbers (default: %(default)s)")
    parser.add_argument("--out", type=Path, required=True, help="PNG file to write")
    args = parser.parse_args()
    prior, model = show.load_prior(args.path, args.vqvae, args.data)
    images = show.sample_images(prior, model, args.count, args.temperature, args.seed)
    show.save_png(show.grid(images, 8), args.out)
    print(args.out)


if __name__ == "__main__":
    run_command("image_sample", main)
