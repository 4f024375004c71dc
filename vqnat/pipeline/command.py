"""The command line of ``scripts/run_pipeline.py``."""

import argparse
import contextlib
import dataclasses
import fcntl
import json
import os
import shlex
import shutil
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from vqnat.errors import UserError
from vqnat.pipeline import tables
from vqnat.pipeline.config import load
from vqnat.pipeline.jobs import StageFailed, run_pipeline
from vqnat.pipeline.plan import Plan
from vqnat.pipeline.progress import minutes
from vqnat.pipeline.stages import Store

CORES_HELP = "stages that run side by side, instead of the configuration's number: at most the machine's cores"


def main(argv: list[str] | None = None) -> int:
    """Run a pipeline; 0: all done, 1: a stage failed, 2: a mistake of the user's, 130: stopped."""
    parser = argparse.ArgumentParser(
        prog="run_pipeline.py", description="Run every stage of a pipeline that is not done yet."
    )
    parser.add_argument("--config", type=Path, required=True, metavar="FILE.yaml", help="what to run")
    parser.add_argument("--run", type=Path, required=True, metavar="DIR", help="folder for everything it writes")
    parser.add_argument("--full", action="store_true", help="also the systems marked full_only")
    parser.add_argument("--only", metavar="NAME,...", help="these systems, and those that speed-ups are over")
    parser.add_argument("--reverse", action="store_true", help="the other direction: source and target swapped")
    parser.add_argument("--from", dest="source", type=Path, metavar="DIR", help="folder with the raw data")
    parser.add_argument("--seed", type=int, help="of all trainings, instead of the configuration's")
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


def overridden(config: Any, args: argparse.Namespace) -> Any:
    """The configuration with what the command line gives of ``--seed``, ``--cores`` and ``--device``.

    Raises:
        UserError: a value cannot be.
    """
    if args.seed is not None and args.seed < 0:
        raise UserError(f"--seed {args.seed}: must be at least 0")
    if args.cores is not None and not 1 <= args.cores <= (os.cpu_count() or 1):
        raise UserError(f"--cores {args.cores}: must be 1 to {os.cpu_count()}, the cores of this machine")
    given = {name: getattr(args, name, None) for name in ("seed", "cores", "device")}
    return dataclasses.replace(config, **{name: value for name, value in given.items() if value is not None})


def show(plan: Plan, store: Store, seconds: float) -> None:
    """The end of a run: samples, the table, where the files are."""
    results = json.loads(plan.results.read_text(encoding="utf-8"))
    width = min(shutil.get_terminal_size().columns, 140)
    total = sum(store.seconds(stage.name) for stage in plan.stages)
    print(f"\n{tables.text_samples(results, width)}\n\n{tables.text_table(results)}\n\n{tables.origin(results)}")
    print(f"\nresults  {_short(plan.results)}\nreport   {_short(plan.report)}")
    print(f"time     {minutes(seconds)} now; all stages together {minutes(total)}")


def _short(path: Path) -> str:
    return os.path.relpath(path) if path.is_relative_to(Path.cwd()) else str(path)


def how_to_continue() -> str:
    """The command the user has typed; a shell script that calls this one gives its own in VQNAT_COMMAND."""
    if "VQNAT_COMMAND" in os.environ:
        return os.environ["VQNAT_COMMAND"]
    words = iter(sys.orig_argv)
    kept = []
    for word in words:  # what is to be repeated is noted by now: asked for again, it would not be continued
        if word == "--again":
            next(words)
        elif not word.startswith("--again="):
            kept.append(word)
    return shlex.join(kept)


@contextlib.contextmanager
def only_one(run: Path) -> Iterator[None]:
    """Two pipelines in one folder would write into each other's files. The lock ends with the process."""
    run.mkdir(parents=True, exist_ok=True)
    with (run / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise UserError(f"--run {run}: another pipeline is running there") from None
        yield


@contextlib.contextmanager
def stoppable() -> Iterator[None]:
    """SIGTERM stops the pipeline as Ctrl-C does, and Ctrl-C does also where a shell had it ignored."""

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    old = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in old.items():
            signal.signal(number, handler)
