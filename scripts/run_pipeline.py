#!/usr/bin/env python3
"""Runs every stage of a pipeline that is not done: corpus, teacher, distillation, trainings, table, report.

Stopped at any point, the same command continues. A stage whose part of the configuration has changed runs
again, and so does all that depends on it; the others do not.
"""

import logging
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
logging.disable(logging.INFO)  # what fairseq says when it is imported

from vqnat.pipeline.command import main  # noqa: E402

if __name__ == "__main__":
    sys.exit(main())
