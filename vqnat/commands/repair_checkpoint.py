"""``python -m vqnat.commands.repair_checkpoint``: what a training that was killed may need before it can continue."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from vqnat_serving.arguments import CommandParser
from vqnat_serving.console import run_program


def parser() -> CommandParser:
    """All options."""
    p = CommandParser("repair_checkpoint", "Replaces a half-written checkpoint_last.pt by the newest whole checkpoint.")
    p.add_argument("folder", type=Path, metavar="DIR", help="--save-dir of fairseq-train")
    return p


def main(argv: Sequence[str] | None = None) -> int:
    """Repair. Returns the exit status."""
    return run_program(parser(), _repair, argv)


def _repair(options: argparse.Namespace) -> None:
    from vqnat.experiments.last_checkpoint import repair_last_checkpoint

    repair_last_checkpoint(options.folder)


if __name__ == "__main__":
    sys.exit(main())
