#!/usr/bin/env python3
"""Where a latent transformer loses quality; see ``--help`` and vqnat/diagnosis/."""

import logging
import sys
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
logging.disable(logging.INFO)  # what fairseq says when it is imported
warnings.filterwarnings("ignore", category=UserWarning, module="torch")

if __name__ == "__main__":
    from vqnat.diagnosis.command import main

    sys.exit(main())
