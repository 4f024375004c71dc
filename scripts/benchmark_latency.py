#!/usr/bin/env python3
"""Latency of translation systems, side by side; see ``--help`` and vqnat/benchmarking/."""

import logging
import sys
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

# Importing fairseq turns on debugging messages of every library. Processes that are started from here run
# this file too, and are quiet as well.
logging.disable(logging.INFO)
warnings.filterwarnings("ignore", category=UserWarning, module="torch")

from vqnat.benchmarking.command import main  # noqa: E402

if __name__ == "__main__":
    sys.exit(main())
