#!/usr/bin/env python3
"""Latency of translation systems, side by side; see ``--help`` and vqnat/benchmarking/."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from vqnat.benchmarking.command import main

if __name__ == "__main__":
    sys.exit(main())
