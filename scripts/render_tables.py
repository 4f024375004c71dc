#!/usr/bin/env python3
"""Render result files into Markdown; see ``--help`` and vqnat/reporting/."""

import sys

import checkout  # noqa: F401  (the checkout's packages and .venv)

if __name__ == "__main__":
    from vqnat.commands.render_tables import main

    sys.exit(main())
