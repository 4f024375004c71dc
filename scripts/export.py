#!/usr/bin/env python3
"""Export a checkpoint to ONNX; see ``--help`` and vqnat/export/."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

if __name__ == "__main__":
    from vqnat.commands.export import main

    sys.exit(main())
