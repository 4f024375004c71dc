#!/usr/bin/env python3
"""CIFAR-10 as memory-mapped splits: downloads the official binary version, or reads the copy in ``--from DIR``.

DIR holds ``data_batch_1.bin`` ... and ``test_batch.bin``; some of the training batches are enough.
"""

import argparse
import sys
import tarfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "scripts"))

import checkout  # noqa: F401  (the checkout's packages and .venv)

from vqnat.errors import run_command
from vqnat.image.datasets.checksums import fetch
from vqnat.image.datasets.prepare import prepare_cifar10

URL = "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz"
MD5 = "c32a1d4ab5d03f1284b67883e8d87530"  # from the data set's page


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--from", dest="source", type=Path, metavar="DIR", help="folder with the binary batches")
    parser.add_argument("--out", type=Path, default=Path("data/cifar10"), help="folder to write (default: %(default)s)")
    parser.add_argument("--valid", type=int, help="images held out for validation (default: a tenth)")
    args = parser.parse_args()
    folder = args.source
    if folder is None:
        archive = fetch(URL, args.out / "raw" / "cifar-10-binary.tar.gz", MD5)
        with tarfile.open(archive) as tar:
            tar.extractall(archive.parent, filter="data")
        folder = archive.parent / "cifar-10-batches-bin"
    prepare_cifar10(folder, args.out, args.valid)


if __name__ == "__main__":
    run_command("prepare-cifar10", main)
