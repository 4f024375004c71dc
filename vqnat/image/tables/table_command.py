"""The command line of ``scripts/image_table.py``."""

import argparse
import json
import sys
import threading
from pathlib import Path

from vqnat.errors import UserError
from vqnat.image.tables.image_markdown import markdown_image_tables
from vqnat.image.tables.table_config import load
from vqnat.image.tables.table_stages import Plan
from vqnat.pipeline.console import CORES_HELP, how_to_continue, only_one, overridden, stoppable
from vqnat.pipeline.jobs import StageFailed, run_pipeline
from vqnat.pipeline.stages import Store


def main(argv: list[str] | None = None) -> int:
    """Run a table and return the exit status: 0 done, 1 a stage failed, 2 a user's mistake, 130 stopped."""
    parser = argparse.ArgumentParser(prog="image_table.py", description="Every row of a paper's image tables.")
    parser.add_argument("--config", type=Path, required=True, metavar="FILE.yaml", help="the tables to run")
    parser.add_argument("--run", type=Path, required=True, metavar="DIR", help="folder for all output")
    parser.add_argument("--from", dest="source", type=Path, metavar="DIR", help="local copy of the raw data")
    parser.add_argument(
        "--budget",
        type=float,
        metavar="MINUTES",
        help="training time of a table's first row; all rows make the same number of updates, with the table's sizes "
        "for a CPU (default: full size)",
    )
    parser.add_argument("--rows", default="", metavar="A,B", help="run only the rows with these names")
    parser.add_argument("--seed", type=int, help="seed of all trainings, instead of the configuration's")
    parser.add_argument("--device", choices=("cpu", "cuda"), help="device to use instead of the configuration's")
    parser.add_argument("--cores", type=int, metavar="N", help=CORES_HELP)
    args = parser.parse_args(argv)
    try:
        config = overridden(load(args.config), args)
        if args.source and not args.source.exists():
            raise UserError(f"--from {args.source}: no such folder")
        source = args.source.resolve() if args.source else None
        rows = [name for name in args.rows.split(",") if name]
        plan = Plan(config, args.run.resolve(), source, args.budget, rows)
        with only_one(plan.run), stoppable():
            run_pipeline(plan.stages, Store(plan.run, plan.stages), config.cores, threading.Event())
    except UserError as error:
        print(f"image_table: {error}", file=sys.stderr)
        return 2
    except StageFailed as error:
        print(f"\n{error}\n\nFinished stages are kept; to go on from here: {how_to_continue()}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"\nstopped; to continue where it was: {how_to_continue()}", file=sys.stderr)
        return 130
    print(markdown_image_tables(json.loads(plan.results.read_text(encoding="utf-8"))))
    print(f"\nresults  {plan.results}")
    return 0
