#!/usr/bin/env python3
"""Any folder or archive of pictures as memory-mapped splits of center crops."""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "scripts"))

import checkout  # noqa: F401  (the checkout's packages and .venv)

from vqnat.errors import run_command
from vqnat.image.datasets.prepare import prepare_pictures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--from", dest="source", type=Path, metavar="DIR", required=True, help="folder, .tar or .zip")
    parser.add_argument("--out", type=Path, required=True, help="folder to write")
    parser.add_argument("--size", type=int, default=32, help="height and width in pixels (default: %(default)s)")
    parser.add_argument("--valid", type=float, default=0.1, help="share of the validation set (default: %(default)s)")
    parser.add_argument("--test", type=float, default=0.1, help="share of the test set (default: %(default)s)")
    args = parser.parse_args()
    prepare_pictures(args.source, args.out, args.size, args.valid, args.test)


if __name__ == "__main__":
    run_command("prepare-images", main)
