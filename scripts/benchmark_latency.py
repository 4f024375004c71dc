#!/usr/bin/env python3
"""Latency of translation systems, side by side; see ``--help`` and vqnat/benchmarking/latency.py."""

import logging
import sys
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

# Importing fairseq turns on debug messages of every library. Worker processes run this file too, so they are quiet.
logging.disable(logging.INFO)
warnings.filterwarnings("ignore", category=UserWarning, module="torch")

from vqnat.benchmarking.latency import main  # noqa: E402

if __name__ == "__main__":
    sys.exit(main())
