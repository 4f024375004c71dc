"""``python -m vqnat.commands.image_results``: all figures of a run's image tables as one JSON file."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import yaml

from vqnat.silence import silence_imports
from vqnat_serving.arguments import CommandParser
from vqnat_serving.console import run_program


def parser() -> CommandParser:
    """All options."""
    p = CommandParser("image_results", "Gathers what the rows of image tables measured.", extra="train")
    p.add_argument("--config", type=Path, required=True, metavar="FILE.yaml", help="the tables")
    p.add_argument("--set", nargs="*", default=[], metavar="KEY=VALUE", help="keys of the configuration to override")
    p.add_argument("--run", type=Path, default=Path(), metavar="DIR", help="folder of the run (default: this folder)")
    return p


def main(argv: Sequence[str] | None = None) -> int:
    """Gather. Returns the exit status."""
    return run_program(parser(), _gather, argv)


def _gather(options: argparse.Namespace) -> None:
    silence_imports()
    from vqnat.image.tables.table_config import load
    from vqnat.image.tables.table_results import collect
    from vqnat.records.results import write_json

    overrides = {key: yaml.safe_load(value) for key, value in (word.split("=", 1) for word in options.set)}
    write_json(options.run / "results.json", collect(load(options.config, overrides), options.run))


if __name__ == "__main__":
    sys.exit(main())
