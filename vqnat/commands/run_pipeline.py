"""``scripts/run_pipeline.py``: every stage from raw text to the report."""

import argparse
import json
import os
import shutil
import sys
import threading
import time
from pathlib import Path

from vqnat.errors import UserError
from vqnat.pipeline.config import load
from vqnat.pipeline.console import CORES_HELP, how_to_continue, only_one, overridden, stoppable
from vqnat.pipeline.jobs import StageFailed, run_pipeline
from vqnat.pipeline.plan import Plan
from vqnat.pipeline.progress import minutes
from vqnat.pipeline.stages import Store
from vqnat.reporting import systems


def main(argv: list[str] | None = None) -> int:
    """Run a pipeline. Returns 0: all done, 1: a stage failed, 2: a user's mistake, 130: stopped."""
    parser = argparse.ArgumentParser(
        prog="run_pipeline.py", description="Run every stage of a pipeline that is not done yet."
    )
    parser.add_argument("--config", type=Path, required=True, metavar="FILE.yaml", help="what to run")
    parser.add_argument("--run", type=Path, required=True, metavar="DIR", help="folder for everything it writes")
    parser.add_argument("--full", action="store_true", help="include the systems marked full_only")
    parser.add_argument("--only", metavar="NAME,...", help="only these systems, and the baselines of the speed-ups")
    parser.add_argument("--reverse", action="store_true", help="swap source and target")
    parser.add_argument("--from", dest="source", type=Path, metavar="DIR", help="folder with the raw data")
    parser.add_argument("--seed", type=int, help="seed of all trainings, instead of the configuration's")
    parser.add_argument("--cores", type=int, metavar="N", help=CORES_HELP)
    parser.add_argument("--again", action="append", default=[], metavar="STAGE", help="repeat a stage that is done")
    args = parser.parse_args(argv)
    start = time.monotonic()
    try:
        config = load(args.config).reversed() if args.reverse else load(args.config)
        if args.source and config.data.kind == "embedded":
            raise UserError(f"--from {args.source}: {args.config} makes its own text (data.kind: embedded)")
        if args.source and not args.source.is_dir():
            raise UserError(f"--from {args.source}: no such folder")
        config = overridden(config, args)
        config = config.only(args.only.split(",")) if args.only else config
        plan = Plan(config, args.run.resolve(), args.full, args.source.resolve() if args.source else None)
        names = [stage.name for stage in plan.stages]
        for name in args.again:
            if name not in names:
                raise UserError(f"--again {name}: no such stage; must be one of {', '.join(names)}")
        with only_one(plan.run), stoppable():
            store = Store(plan.run, plan.stages)
            run_pipeline(plan.stages, store, config.cores, threading.Event(), args.again)
    except UserError as error:
        print(f"run_pipeline: {error}", file=sys.stderr)
        return 2
    except StageFailed as error:
        print(f"\n{error}\n\nFinished stages are kept; to go on from here: {how_to_continue()}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"\nstopped; to continue where it was: {how_to_continue()}", file=sys.stderr)
        return 130
    show(plan, store, time.monotonic() - start)
    return 0


def show(plan: Plan, store: Store, seconds: float) -> None:
    """Print the end of a run: samples, the table, where the files are."""
    results = json.loads(plan.results.read_text(encoding="utf-8"))
    width = min(shutil.get_terminal_size().columns, 140)
    total = sum(store.seconds(stage.name) for stage in plan.stages)
    print(f"\n{systems.text_samples(results, width)}\n\n{systems.text_table(results)}\n\n{systems.origin(results)}")
    print(f"\nresults  {_short(plan.results)}\nreport   {_short(plan.report)}")
    print(f"time     {minutes(seconds)} now; all stages together {minutes(total)}")


def _short(path: Path) -> str:
    return os.path.relpath(path) if path.is_relative_to(Path.cwd()) else str(path)


if __name__ == "__main__":
    sys.exit(main())
