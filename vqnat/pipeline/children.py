"""Starts the programs of a stage, keeps their logs, and ends them with the pipeline."""

import os
import shlex
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
WATCHDOG = Path(__file__).with_name("die_with_parent.py")
TAIL = 20  # lines of a failed program's log to show
# glibc returns large blocks to the OS at every free; keeping them made CPU training 30 % faster.
MALLOC = {
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TRIM_THRESHOLD_": "100000000000",
    "MALLOC_TOP_PAD_": "268435456",
}


class ChildFailed(Exception):
    """A program ended with an error; the message says how, and where its log is."""


class Stopped(Exception):
    """The user stopped the pipeline."""


def environment(threads: int) -> dict[str, str]:
    """Environment variables of every child."""
    return {**os.environ, **MALLOC, "OMP_NUM_THREADS": str(threads), "PYTHONUNBUFFERED": "1"}


def run_child(
    command: Sequence[str],
    log: Path,
    threads: int,
    stop: threading.Event,
    poll: Callable[[], None] = lambda: None,
) -> None:
    """Run ``command`` to its end in the repository's root; its output is appended to ``log``.

    Args:
        command: program and arguments.
        log: file for standard output and standard error.
        threads: for OMP_NUM_THREADS.
        stop: once set, the program is ended and Stopped raised.
        poll: called several times per second meanwhile.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        output.write(f"$ {shlex.join(command)}\n".encode())
        output.flush()
        process = subprocess.Popen(
            [sys.executable, "-I", str(WATCHDOG), *command],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=REPOSITORY,
            env=environment(threads),
            start_new_session=True,  # Ctrl-C reaches the pipeline only, which then ends its children
        )
    try:
        while process.poll() is None and not stop.wait(0.2):
            poll()
    finally:
        process.stdin.close()  # die_with_parent.py ends the program if it is still running
        status = process.wait()
    if stop.is_set():
        raise Stopped
    if status != 0:
        raise ChildFailed(f"{_how(status)}; the end of {log}:\n{tail(log)}")


def _how(status: int) -> str:
    number = status - 128 if status > 128 else -status
    if number > 0:
        memory = " (out of memory?)" if number == signal.SIGKILL else ""
        return f"killed by {signal.Signals(number).name}{memory}"
    return f"exit status {status}"


def tail(log: Path, lines: int = TAIL) -> str:
    """The last lines of a log, as a terminal would show them."""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - 20000))
        text = file.read().decode("utf-8", "replace")
    shown = [line.rsplit("\r", 1)[-1] for line in text.rstrip().split("\n")]
    return "\n".join(f"  | {line}" for line in shown[-lines:])
