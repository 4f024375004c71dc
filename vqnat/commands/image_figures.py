"""``python -m vqnat.commands.image_figures``: what fairseq-validate reported of a row's models, as JSON."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from vqnat.errors import UserError
from vqnat_serving.arguments import CommandParser
from vqnat_serving.console import run_program


def parser() -> CommandParser:
    """All options."""
    p = CommandParser("image_figures", "Gathers the figures of one row of an image table.")
    for kind, text in (("train", "the autoencoder"), ("prior", "its prior, whose own figures are added")):
        p.add_argument(
            f"--{kind}",
            type=Path,
            nargs=3,
            required=kind == "train",
            metavar=("VALIDATED", "LOG", "LENGTH"),
            help=f"{text}: output of fairseq-validate, log of fairseq-train, and JSON of image_length",
        )
    p.add_argument("--json", type=Path, required=True, metavar="FILE", help="file to write")
    return p


def main(argv: Sequence[str] | None = None) -> int:
    """Gather. Returns the exit status."""
    return run_program(parser(), _gather, argv)


def _gather(options: argparse.Namespace) -> None:
    from vqnat.image.tables.validation_figures import read_figures
    from vqnat.records.results import write_json
    from vqnat.records.training_logs import wall_seconds

    figures: dict[str, float | None] = {}
    for kind in ("train", "prior"):
        if getattr(options, kind) is None:
            continue
        validated, log, length = getattr(options, kind)
        try:
            # Figures that only the prior reports, such as bits per dimension, are added to the autoencoder's.
            figures = {**read_figures(validated), **figures}
            figures[f"{kind}_updates"] = json.loads(length.read_text(encoding="utf-8"))["updates"]
        except (OSError, ValueError, KeyError) as error:
            raise UserError(f"--{kind}: {error}") from None
        figures[f"{kind}_seconds"] = wall_seconds(log)
    write_json(options.json, figures)


if __name__ == "__main__":
    sys.exit(main())
