#!/usr/bin/env python3
"""Time and memory of data-prep/prepare-bitext.sh over the number of pairs; see ``--help``."""

import sys

import checkout  # noqa: F401  (the checkout's packages and .venv)

if __name__ == "__main__":
    from vqnat.benchmarking.data_prep import main

    sys.exit(main())
