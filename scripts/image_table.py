#!/usr/bin/env python3
"""Run every row of a paper's image tables that is not done yet, and print the table; see ``--help``."""

import logging
import sys

import checkout  # noqa: F401  (the checkout's packages and .venv)

logging.disable(logging.INFO)  # fairseq logs when it is imported

from vqnat.image.tables.table_command import main  # noqa: E402

if __name__ == "__main__":
    sys.exit(main())
