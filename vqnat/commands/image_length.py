"""``python -m vqnat.commands.image_length``: how many updates the trainings of a table make, as JSON."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from vqnat_serving.arguments import CommandParser, at_least
from vqnat_serving.console import run_program


def parser() -> CommandParser:
    """All options."""
    p = CommandParser("image_length", "Settles the updates of trainings: their epochs, or what fits into minutes.")
    p.add_argument("data", type=Path, metavar="DIR", help="prepared images")
    p.add_argument("--epochs", type=at_least(1), required=True, metavar="N", help="at full length")
    p.add_argument("--batch-size", type=at_least(1), required=True, metavar="N", help="images in a batch")
    p.add_argument("--minutes", type=float, metavar="X", help="budget of one training (default: full length)")
    p.add_argument("--trial", type=Path, metavar="LOG", help="log of a few updates, for their speed; with --minutes")
    p.add_argument("--json", type=Path, required=True, metavar="FILE", help="file to write")
    return p


def main(argv: Sequence[str] | None = None) -> int:
    """Settle. Returns the exit status."""
    return run_program(parser(), _settle, argv)


def _settle(options: argparse.Namespace) -> None:
    from vqnat.image.datasets.split_files import read_header
    from vqnat.image.tables import budget
    from vqnat.records.results import write_json

    updates = budget.full_updates(read_header(options.data, "train")["count"], options.batch_size, options.epochs)
    seconds = None
    if options.minutes is not None:
        seconds = budget.seconds_per_update(options.trial)
        updates = budget.updates_within(options.minutes, seconds, updates)
    write_json(options.json, {"updates": updates, "seconds_per_update": seconds})


if __name__ == "__main__":
    sys.exit(main())
