"""``scripts/reproduce.sh``: a table of a paper at a scale, by the workflow."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import yaml

from vqnat.commands import run_workflow
from vqnat.errors import UserError
from vqnat.experiments.recipes import compose, scales, tables
from vqnat_serving.arguments import CommandParser
from vqnat_serving.console import run_program


def parser() -> CommandParser:
    """All options."""
    p = CommandParser("reproduce", "Trains and measures the rows of a paper's table.")
    p.add_argument("table", metavar="TABLE", help=f"{', '.join(tables())}; several, with commas, as one experiment")
    p.add_argument("--rows", metavar="NAME,...", help="only these rows, and the teacher's")
    p.add_argument("--scale", default="tiny", metavar="NAME", help=f"{', '.join(scales())} (default: tiny)")
    p.add_argument("--seeds", metavar="N,...", help="train the students with each of these seeds")
    p.add_argument("--run", type=Path, metavar="DIR", help="folder for everything (default: runs/TABLE.SCALE)")
    p.add_argument("--from", dest="source", type=Path, metavar="DIR", help="local copy of the raw data")
    p.add_argument("--cores", type=int, metavar="N", help="cores to use on this machine")
    p.add_argument("--profile", default="local", metavar="NAME", help="how jobs are started: local, slurm, kubernetes")
    p.add_argument("-n", "--dry-run", action="store_true", help="say what would run, why, and by which commands")
    return p


def main(argv: Sequence[str] | None = None) -> int:
    """Reproduce. Returns the exit status."""
    return run_program(parser(), _reproduce, argv)


def _reproduce(options: argparse.Namespace) -> int:
    try:
        seeds = [int(word) for word in options.seeds.split(",")] if options.seeds else []
    except ValueError:
        raise UserError(f"--seeds {options.seeds}: must be whole numbers, separated by commas") from None
    rows = [word for word in (options.rows or "").split(",") if word]
    config = compose(options.table.split(","), options.scale, rows, seeds)
    run = options.run or Path("runs") / f"{options.table}.{options.scale}"
    path = run.resolve() / "config.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(config, sort_keys=False, allow_unicode=True), encoding="utf-8")
    words = ["--config", str(path), "--run", str(run), "--profile", options.profile]
    words += ["--from", str(options.source)] if options.source else []
    words += ["--cores", str(options.cores)] if options.cores is not None else []
    return run_workflow.main([*words, *(["--dry-run"] if options.dry_run else [])])


if __name__ == "__main__":
    sys.exit(main())
