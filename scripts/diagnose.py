#!/usr/bin/env python3
"""Where a latent transformer loses quality; see ``--help`` and vqnat/diagnosis/."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

if __name__ == "__main__":
    from vqnat.commands.diagnose import main

    sys.exit(main())
