#!/usr/bin/env python3
"""``vqnat diagnose`` from the checkout."""

import sys

import checkout  # noqa: F401  (the checkout's packages and .venv)

if __name__ == "__main__":
    from vqnat.commands.diagnose import main

    sys.exit(main())
