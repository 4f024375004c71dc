"""``python -m vqnat.commands.seeds_table``: one table of the same systems over several seeds."""

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
    p = CommandParser("seeds_table", "Means over seeds, with the least and the most, as Markdown.", extra="train")
    p.add_argument("results", type=Path, nargs="+", metavar="results.json", help="one of each seed")
    return p


def main(argv: Sequence[str] | None = None) -> int:
    """Print the table. Returns the exit status."""
    return run_program(parser(), _render, argv)


def _render(options: argparse.Namespace) -> None:
    from vqnat.reporting.seeds import markdown_seeds

    try:
        print(markdown_seeds([json.loads(path.read_text(encoding="utf-8")) for path in options.results]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"{', '.join(map(str, options.results))}: {error}") from None


if __name__ == "__main__":
    sys.exit(main())
