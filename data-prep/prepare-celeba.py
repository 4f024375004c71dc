#!/usr/bin/env python3
"""CelebA (aligned and cropped faces) as memory-mapped splits of center crops.

Without ``--from`` the official files are downloaded from the authors' Google Drive, which limits the number of
downloads. DIR holds the pictures, or one .zip or .tar of them, and ``list_eval_partition.txt`` for the official
splits; without that file the last pictures are held out.
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "scripts"))

import checkout  # noqa: F401  (the checkout's packages and .venv)

from vqnat.errors import run_command
from vqnat.image.datasets.checksums import fetch
from vqnat.image.datasets.prepare import PARTITION, prepare_pictures

URL = "https://drive.usercontent.google.com/download?export=download&confirm=t&id="
FILES = (  # name, identifier, checksum
    ("img_align_celeba.zip", "0B7EVK8r0v71pZjFTYXZWM3FlRnM", "00d2c5bc6d35e252742224ab0c1e8fcb"),
    (PARTITION, "0B7EVK8r0v71pY0NSMzRuSXJEVkk", "d32c9cbf5e040fd4025c592c306e6668"),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--from", dest="source", type=Path, metavar="DIR", help="folder of the pictures, or of one archive of them"
    )
    parser.add_argument("--out", type=Path, default=Path("data/celeba"), help="folder to write (default: %(default)s)")
    parser.add_argument("--size", type=int, default=128, help="height and width in pixels (default: %(default)s)")
    parser.add_argument(
        "--valid",
        type=float,
        default=0.1,
        help="share of the validation set, without official splits (default: %(default)s)",
    )
    parser.add_argument(
        "--test", type=float, default=0.1, help="share of the test set, without official splits (default: %(default)s)"
    )
    args = parser.parse_args()
    folder = args.source
    if folder is None:
        folder = args.out / "raw"
        for name, identifier, md5 in FILES:
            fetch(URL + identifier, folder / name, md5)
    prepare_pictures(folder, args.out, args.size, args.valid, args.test, "CelebA")


if __name__ == "__main__":
    run_command("prepare-celeba", main)
