#!/usr/bin/env python3
"""The old path of binarize.py; it goes away with version 0.3."""

import runpy
import sys
from pathlib import Path

print("binarise.py is now called binarize.py; the old path goes away with version 0.3", file=sys.stderr)
runpy.run_path(str(Path(__file__).with_name("binarize.py")), run_name="__main__")
