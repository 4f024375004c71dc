"""``vqnat distill``: sequence-level knowledge distillation of a binarized bitext."""

import argparse
import sys
from collections.abc import Sequence

from vqnat.distillation.distill_options import checked, parser
from vqnat.silence import silence_imports
from vqnat_serving.console import INTERRUPTED, run_program

__all__ = ["main", "parser"]


def main(argv: Sequence[str] | None = None) -> int:
    """Distill; 130 when interrupted."""
    return run_program(parser(), _distill, argv)


def _distill(parsed: argparse.Namespace) -> int:
    options = checked(parsed)
    silence_imports()
    from vqnat.distillation.distilling import distill

    try:
        distill(options)
    except KeyboardInterrupt:
        print("vqnat distill: interrupted; run the same command again to continue", file=sys.stderr)
        return INTERRUPTED
    return 0


if __name__ == "__main__":
    sys.exit(main())
