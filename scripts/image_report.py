#!/usr/bin/env python3
"""Reconstructions, samples, codebook usage and curves of image models: PNG files and one HTML page.

scripts/image_report.py data/cifar10 --vqvae run/checkpoint_last.pt --prior prior/checkpoint_last.pt --out report
"""

import argparse
import logging
from pathlib import Path

import checkout  # noqa: F401  (the checkout's packages and .venv)

logging.disable(logging.INFO)  # fairseq logs when it is imported

from vqnat.errors import run_command  # noqa: E402
from vqnat.image.reports.html_report import write_report  # noqa: E402


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, help="folder written by a script of data-prep")
    parser.add_argument("--vqvae", type=Path, required=True, help="checkpoint of the autoencoder")
    parser.add_argument("--prior", type=Path, help="checkpoint of a prior over its codes")
    parser.add_argument(
        "--log",
        type=Path,
        action="append",
        default=[],
        help="output of fairseq-train --log-format json, repeatable",
    )
    parser.add_argument("--split", default="test", help="split to reconstruct (default: %(default)s)")
    parser.add_argument("--count", type=int, default=32, help="number of images to show (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="seed of the samples (default: %(default)s)")
    parser.add_argument("--out", type=Path, required=True, help="folder to write")
    args = parser.parse_args()
    print(write_report(args.out, args.vqvae, args.data, args.split, args.prior, tuple(args.log), args.count, args.seed))


if __name__ == "__main__":
    run_command("image_report", main)
