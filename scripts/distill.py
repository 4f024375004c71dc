#!/usr/bin/env python3
"""Sequence-level knowledge distillation of a binarised bitext; see ``--help`` and vqnat/distillation/."""

import logging
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
logging.getLogger("fairseq").setLevel(logging.WARNING)  # before it is imported: that logs, too

if __name__ == "__main__":
    from vqnat.distillation.command import main

    sys.exit(main())
