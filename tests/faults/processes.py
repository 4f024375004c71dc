"""Programs in forks of this process, which can be killed: starting one takes milliseconds instead of seconds."""

import importlib
import logging
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import fork_server
from bitext import REPO

LIMIT = 1800.0  # seconds for a program that should end, on a busy machine
MODULES = (*fork_server.FAIRSEQ, "fairseq.optim.adam", "sentencepiece", "vqnat.plugin", "onnxscript", "torch.onnx")


def preload() -> None:
    """Import what the programs need, once."""
    for name in MODULES:
        importlib.import_module(name)
    logging.root.handlers.clear()  # some of fairseq's modules set up logging when they are imported
    logging.root.setLevel(logging.WARNING)
    importlib.import_module("torch").set_num_threads(1)


class Program:
    """A running program; its output goes to a file.

    Args:
        words: as in a shell, see :mod:`fork_server`.
        log: file for standard output and standard error.
        before: called in the new process first.
    """

    def __init__(self, words: Sequence[object], log: Path, before: Callable[[], object] | None = None) -> None:
        self.log = log
        log.write_bytes(b"")  # here, as a signal may end the fork before its first step
        sys.stdout.flush()
        self.pid = os.fork()
        if self.pid == 0:
            self._run([str(word) for word in words], before)
        self.status: int | None = None  # negative for a signal

    def _run(self, words: list[str], before: Callable[[], object] | None) -> None:
        status = 1
        try:
            os.setsid()
            handle = os.open(self.log, os.O_WRONLY)
            os.dup2(handle, 1)
            os.dup2(handle, 2)
            signal.signal(signal.SIGINT, signal.default_int_handler)
            if before is not None:
                before()
            status = fork_server.run(words, str(REPO), dict(os.environ))
            sys.stdout.flush()
            sys.stderr.flush()
        finally:
            os._exit(status)

    def poll(self) -> int | None:
        """Its exit status if it has ended."""
        if self.status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.status = os.waitstatus_to_exitcode(status)
        return self.status

    def wait(self, seconds: float = LIMIT) -> int | None:
        """Its exit status; None if it still runs after so many seconds."""
        until = time.monotonic() + seconds
        while self.poll() is None and time.monotonic() < until:
            time.sleep(0.002)
        return self.status

    def kill(self, number: int = signal.SIGKILL) -> None:
        """Send it a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def children(self) -> list[int]:
        """The processes that it has started and that still run."""
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            except (OSError, ValueError, IndexError):
                continue
            if parent == self.pid:
                found.append(int(folder.name))
        return found

    def output(self) -> str:
        """What it has written so far."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    def last_line(self) -> str:
        """The last line of that."""
        lines = [line for line in self.output().splitlines() if line.strip()]
        return lines[-1] if lines else ""
