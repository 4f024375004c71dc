#!/usr/bin/env python3
"""What lower precision costs in BLEU and chrF; see ``--help`` and vqnat/benchmarking/precisions.py."""

import logging

import checkout  # noqa: F401  (the checkout's packages and .venv)

logging.disable(logging.INFO)  # fairseq logs when it is imported

from vqnat.benchmarking.precisions import main  # noqa: E402
from vqnat.errors import run_command  # noqa: E402

if __name__ == "__main__":
    run_command("compare_precisions", main)
