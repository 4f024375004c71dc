#!/usr/bin/env python3
"""Make every file of an experiment that is not made yet: corpus, teacher, distillation, trainings, table, report.

Stopped at any point, the same command continues. A job whose part of the configuration changed runs again, and so does
everything that depends on it.
"""

import sys

import checkout  # noqa: F401  (the checkout's packages and .venv)

if __name__ == "__main__":
    from vqnat.commands.run_workflow import main

    sys.exit(main())
