#!/usr/bin/env python3
"""Render result files into Markdown; see ``--help`` and vqnat/reporting/."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

if __name__ == "__main__":
    from vqnat.commands.render_tables import main

    sys.exit(main())
