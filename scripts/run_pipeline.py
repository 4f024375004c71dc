#!/usr/bin/env python3
"""Run every stage of a pipeline that is not done: corpus, teacher, distillation, trainings, table, report.

Stopped at any point, the same command continues. A stage whose part of the configuration changed runs again, and so
does everything that depends on it.
"""

import sys

import checkout  # noqa: F401  (the checkout's packages and .venv)

if __name__ == "__main__":
    from vqnat.commands.run_pipeline import main

    sys.exit(main())
