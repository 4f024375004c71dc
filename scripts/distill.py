#!/usr/bin/env python3
"""``vqnat distill`` from the checkout."""

import sys

import checkout  # noqa: F401  (the checkout's packages and .venv)

if __name__ == "__main__":
    from vqnat.commands.distill import main

    sys.exit(main())
