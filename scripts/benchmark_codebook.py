#!/usr/bin/env python3
"""Time and memory of one codebook step; see ``--help`` and vqnat/benchmarking/codebook_step.py."""

import logging

import checkout  # noqa: F401  (the checkout's packages and .venv)

logging.disable(logging.INFO)  # fairseq logs when it is imported

from vqnat.benchmarking.codebook_step import main  # noqa: E402
from vqnat.errors import run_command  # noqa: E402

if __name__ == "__main__":
    run_command("benchmark_codebook", main)
