#!/usr/bin/env python3
"""Time and memory against the size of the data; see ``--help`` and vqnat/benchmarking/scale.py."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from vqnat.benchmarking.scale import main

if __name__ == "__main__":
    sys.exit(main())
