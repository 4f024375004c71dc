#!/usr/bin/env python3
"""``vqnat average`` from the checkout."""

import sys

import checkout  # noqa: F401  (the checkout's packages and .venv)

if __name__ == "__main__":
    from vqnat.commands.average import main

    sys.exit(main())
