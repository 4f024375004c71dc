"""Python programs in processes that have torch and fairseq already: a fork takes milliseconds, their import seconds.

A program runs as it would from a shell: as ``__main__``, with its own arguments, standard streams, working directory
and exit status. What is forked is a clean process, without pytest and without vqnat, so that ``--user-dir`` and the
imports of our own code are tested as they are.
"""

import json
import os
import runpy
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

# What fairseq's programs import; not the programs themselves, which set up logging.
PRELOADED = ("torch", "fairseq.tasks", "fairseq.trainer", "fairseq.sequence_generator", "sacrebleu.metrics")


class Forker:
    """The process that is forked; started at the first program, ended with this one, as its input closes."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._server: subprocess.Popen | None = None

    def run(self, words: list[str], folder: Path, text: str = "") -> subprocess.CompletedProcess:
        """Run ``python WORDS``, where the first word is a file, or the first two are ``-m MODULE``.

        Args:
            words: the command line without the interpreter.
            folder: working directory.
            text: what the program reads from standard input.
        """
        with self._lock, tempfile.TemporaryDirectory() as streams:
            if self._server is None:
                pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
                self._server = subprocess.Popen([sys.executable, __file__], text=True, **pipes)
            files = [Path(streams, name) for name in ("in", "out", "err")]
            for file in files:
                file.write_text(text if file.name == "in" else "", encoding="utf-8")
            job = {"words": words, "folder": str(folder), "environment": dict(os.environ), "files": [*map(str, files)]}
            print(json.dumps(job), file=self._server.stdin, flush=True)
            status = int(self._server.stdout.readline())
            output, errors = (file.read_text(encoding="utf-8") for file in files[1:])
        return subprocess.CompletedProcess([sys.executable, *words], status, output, errors)


def serve() -> None:
    """Fork once for each line of standard input, a job as JSON; print the exit status, negative for a signal."""
    for name in PRELOADED:
        __import__(name)
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            become(**json.loads(line))
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


def become(words: list[str], folder: str, environment: dict[str, str], files: list[str]) -> None:
    """Turn this process into the program, to its end."""
    for number, (file, flags) in enumerate(zip(files, (os.O_RDONLY, os.O_WRONLY, os.O_WRONLY), strict=True)):
        opened = os.open(file, flags | os.O_APPEND)
        os.dup2(opened, number)
        os.close(opened)
    sys.stdin = os.fdopen(0, encoding="utf-8")  # the old one has read ahead, into the next jobs
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    status: object = 0
    try:
        module = words[0] == "-m"
        sys.argv = words[1:] if module else words
        sys.path[0] = folder if module else str(Path(folder, words[0]).parent)
        if module:
            runpy.run_module(words[1], run_name="__main__", alter_sys=True)
        else:
            runpy.run_path(words[0], run_name="__main__")
    except SystemExit as end:
        status = end.code or 0
        if isinstance(status, str):
            print(status, file=sys.stderr)
    except BaseException:
        sys.excepthook(*sys.exc_info())
        status = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status if isinstance(status, int) else 1)


if __name__ == "__main__":
    serve()
