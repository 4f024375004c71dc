"""``python -m vqnat`` is the console program ``vqnat``."""

import sys

from vqnat.cli import main

if __name__ == "__main__":
    sys.exit(main())
