#!/usr/bin/env python3
"""Images and their reconstructions by an autoencoder, as one PNG file."""

import argparse
import logging
from pathlib import Path

import checkout  # noqa: F401  (the checkout's packages and .venv)

logging.disable(logging.INFO)  # fairseq logs when it is imported

from vqnat.errors import run_command  # noqa: E402
from vqnat.image.reports.image_grids import beside, save_png  # noqa: E402
from vqnat.image.reports.model_images import pick, reconstruct  # noqa: E402
from vqnat.image.trained_models import load_autoencoder  # noqa: E402


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="folder written by a script of data-prep")
    parser.add_argument("--path", type=Path, required=True, help="checkpoint of the autoencoder")
    parser.add_argument("--split", default="test", help="split to read (default: %(default)s)")
    parser.add_argument("--count", type=int, default=16, help="number of images (default: %(default)s)")
    parser.add_argument("--out", type=Path, required=True, help="PNG file to write")
    args = parser.parse_args()
    images = pick(args.data, args.split, args.count)
    model = load_autoencoder(args.path, str(args.data))
    save_png(beside(images, reconstruct(model, images), 8), args.out)
    print(args.out)


if __name__ == "__main__":
    run_command("image_reconstruct", main)
