#!/usr/bin/env python3
"""Target tokens per second in training; see ``--help`` and vqnat/benchmarking/training_speed.py."""

import logging
import warnings

import checkout  # noqa: F401  (the checkout's packages and .venv)

logging.disable(logging.INFO)  # fairseq logs when it is imported
warnings.filterwarnings("ignore", category=UserWarning)  # of hydra, and of torch about fairseq

from vqnat.benchmarking.training_speed import main  # noqa: E402
from vqnat.errors import run_command  # noqa: E402

if __name__ == "__main__":
    run_command("benchmark_training", main)
