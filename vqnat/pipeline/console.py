"""What every command that runs stages needs: overrides, a lock on the run's folder, and how it is stopped."""

import argparse
import contextlib
import dataclasses
import fcntl
import os
import shlex
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from vqnat.errors import UserError

CORES_HELP = "stages that run at the same time, instead of the configuration's number: at most the machine's cores"


def overridden(config: Any, args: argparse.Namespace) -> Any:
    """The configuration with the command line's ``--seed``, ``--cores`` and ``--device``.

    Raises:
        UserError: a value is out of range.
    """
    if args.seed is not None and args.seed < 0:
        raise UserError(f"--seed {args.seed}: must be at least 0")
    if args.cores is not None and not 1 <= args.cores <= (os.cpu_count() or 1):
        raise UserError(f"--cores {args.cores}: must be 1 to {os.cpu_count()}, the cores of this machine")
    given = {name: getattr(args, name, None) for name in ("seed", "cores", "device")}
    return dataclasses.replace(config, **{name: value for name, value in given.items() if value is not None})


def how_to_continue() -> str:
    """The command that the user typed; a shell script that calls ours names itself in VQNAT_COMMAND."""
    if "VQNAT_COMMAND" in os.environ:
        return os.environ["VQNAT_COMMAND"]
    words = iter(sys.orig_argv)
    kept = []
    for word in words:  # what --again repeats has been recorded; given once more, it would start over
        if word == "--again":
            next(words)
        elif not word.startswith("--again="):
            kept.append(word)
    return shlex.join(kept)


@contextlib.contextmanager
def only_one(run: Path) -> Iterator[None]:
    """Lock a run's folder, as two pipelines would overwrite each other's files; the lock ends with the process."""
    run.mkdir(parents=True, exist_ok=True)
    with (run / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise UserError(f"--run {run}: another pipeline is running there") from None
        yield


@contextlib.contextmanager
def stoppable() -> Iterator[None]:
    """Let SIGTERM stop the pipeline as Ctrl-C does, and Ctrl-C even where a shell has it ignored."""

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    old = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in old.items():
            signal.signal(number, handler)
