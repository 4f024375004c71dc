#!/usr/bin/env python3
"""A new process to its first translation; see ``--help`` and vqnat/benchmarking/starting.py."""

import logging
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
logging.disable(logging.INFO)  # fairseq logs when it is imported

from vqnat.benchmarking.starting import main  # noqa: E402
from vqnat.errors import run_command  # noqa: E402

if __name__ == "__main__":
    run_command("benchmark_start", main)
