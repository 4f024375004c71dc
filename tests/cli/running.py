"""The console program as users run it: in a process of its own, to a pipe or to a terminal."""

import contextlib
import os
import pty
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from bitext import REPO

VQNAT = (sys.executable, "-m", "vqnat")


def vqnat(*words: object, **options) -> subprocess.CompletedProcess:
    """``vqnat WORDS`` with pipes."""
    return run(*VQNAT, *words, **options)


def run(*words: object, env: dict[str, str] | None = None, cwd: Path = REPO, **options) -> subprocess.CompletedProcess:
    """Any program with pipes; ``env`` adds to this process's."""
    given = {**os.environ, "PYTHONPATH": str(REPO), **(env or {})}
    command = [str(word) for word in words]
    return subprocess.run(command, cwd=cwd, env=given, capture_output=True, text=True, timeout=300, **options)


def on_terminal(command: Sequence[object], env: dict[str, str] | None = None) -> tuple[int, str]:
    """The status of a program whose output is a terminal 100 columns wide, and what it showed there."""
    screen, terminal = pty.openpty()
    given = {**os.environ, "PYTHONPATH": str(REPO), "TERM": "xterm-256color", "COLUMNS": "100", **(env or {})}
    words = [str(word) for word in command]
    process = subprocess.Popen(words, cwd=REPO, env=given, stdin=subprocess.DEVNULL, stdout=terminal, stderr=terminal)
    os.close(terminal)
    shown = b""
    with contextlib.suppress(OSError):  # Linux: the terminal is closed
        while chunk := os.read(screen, 4096):
            shown += chunk
    os.close(screen)
    return process.wait(timeout=60), shown.decode("utf-8")
