#!/usr/bin/env python3
"""Sequence-level knowledge distillation of a binarized bitext; see ``--help`` and vqnat/distillation/."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

if __name__ == "__main__":
    from vqnat.commands.distill import main

    sys.exit(main())
