#!/usr/bin/env python3
"""Average checkpoints; see ``--help`` and vqnat/checkpoints/."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

if __name__ == "__main__":
    from vqnat.commands.average_checkpoints import main
    from vqnat.errors import run_command

    run_command("average_checkpoints", main)
