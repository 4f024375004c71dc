#!/usr/bin/env python3
"""Originals and what an image autoencoder makes of them, as one PNG file."""

import argparse
import logging
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
logging.disable(logging.INFO)  # what fairseq says when it is imported

from vqnat.errors import run_command  # noqa: E402
from vqnat.image.reports import image_grids as show  # noqa: E402
from vqnat.image.trained_models import load_autoencoder  # noqa: E402


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="folder made by a script of data-prep")
    parser.add_argument("--path", type=Path, required=True, help="checkpoint of the autoencoder")
    parser.add_argument("--split", default="test", help="split to read (default: %(default)s)")
    parser.add_argument("--count", type=int, default=16, help="how many images (default: %(default)s)")
    parser.add_argument("--out", type=Path, required=True, help="PNG file to write")
    args = parser.parse_args()
    images = show.pick(args.data, args.split, args.count)
    model = load_autoencoder(args.path, str(args.data))
    show.save_png(show.beside(images, show.reconstruct(model, images), 8), args.out)
    print(args.out)


if __name__ == "__main__":
    run_command("image_reconstruct", main)
