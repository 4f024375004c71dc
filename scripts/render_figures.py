#!/usr/bin/env python3
"""Draw the figures of the README and of docs/ from result files; see ``--help`` and vqnat/reporting/figures.py."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

if __name__ == "__main__":
    from vqnat.commands.render_figures import main

    sys.exit(main())
