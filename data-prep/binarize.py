#!/usr/bin/env python3
"""Raw text to fairseq's binary format with one subword model for both languages; see ``--help``."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "scripts"))

import checkout  # noqa: F401  (the checkout's packages and .venv)

from vqnat.data.binarize import main
from vqnat.errors import run_command

if __name__ == "__main__":
    run_command("binarize", main)
