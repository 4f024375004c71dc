"""Runs Python programs in forks of one process that has imported torch and fairseq, which saves seconds for each.

A program runs as from a shell: as ``__main__``, with its own arguments, streams, folder, environment and exit status.
PROGRAM is ``fairseq-NAME``, ``vqnat``, ``-m``, ``-c`` (code from standard input) or a file.

``python fork_server.py SOCKET MODULE...`` imports the modules and serves until its standard input ends; ``python -S
fork_server.py --client SOCKET PROGRAM ARGS`` has a program run and becomes its exit status; :class:`Server` is both in
one.
"""

import array
import importlib
import json
import logging
import os
import runpy
import select
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

STREAMS = 3
# What fairseq's programs import (dynamo: torch's optimizers); not the programs themselves, which set up logging, and
# nothing of vqnat.
FAIRSEQ = (
    "torch",
    "torch._dynamo",
    "fairseq.tasks",
    "fairseq.trainer",
    "fairseq.sequence_generator",
    "sacrebleu.metrics",
)


class Server:
    """A server process, which ends with this one.

    Args:
        modules: what it imports before it forks.
        options: of :class:`subprocess.Popen`.
    """

    def __init__(self, modules: Sequence[str] = FAIRSEQ, **options) -> None:
        self.socket = Path(tempfile.mkdtemp(prefix="forks")) / "server"  # its path has at most about 100 characters
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
        self._process = subprocess.Popen([sys.executable, __file__, self.socket, *modules], **pipes, **options)
        self._ready = False

    def wait(self) -> None:
        """Wait until everything is imported."""
        if not self._ready:
            assert self._process.stdout.readline() == b"ready\n", "the fork server did not start"
            self._ready = True

    def run(self, words: Sequence[str], folder: Path, text: str = "") -> subprocess.CompletedProcess:
        """Run a program to its end, with ``text`` for standard input."""
        self.wait()
        with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            given.write(text.encode())
            given.seek(0)
            streams = [file.fileno() for file in (given, out, err)]
            status = request(str(self.socket), list(words), str(folder), streams)
            for file in (out, err):
                file.seek(0)
            return subprocess.CompletedProcess(list(words), status, out.read().decode(), err.read().decode())

    def close(self) -> None:
        """End the server."""
        self._process.stdin.close()
        self._process.wait(timeout=30)
        shutil.rmtree(self.socket.parent, ignore_errors=True)


def request(path: str, words: list[str], folder: str, streams: Sequence[int]) -> int:
    """Have a program run with these streams; returns its exit status, negative for a signal."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(path)
        job = json.dumps({"words": words, "folder": folder, "environment": dict(os.environ)}).encode()
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", streams))]
        connection.sendmsg([len(job).to_bytes(4, "big")], rights)
        connection.sendall(job)
        return int(connection.recv(16) or b"1")


def serve(path: str, modules: Sequence[str]) -> None:
    """Import the modules, then fork for each request until standard input ends."""
    announce, sys.stdout = sys.stdout, sys.stderr  # what importing prints is nobody's
    for name in modules:
        importlib.import_module(name)
    sys.stdout = announce
    logging.root.handlers.clear()  # some of fairseq's modules set up logging when they are imported
    logging.root.setLevel(logging.WARNING)
    importlib.import_module("torch").set_num_threads(1)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen()
    print("ready", flush=True)
    while True:
        ready, _, _ = select.select([listener, 0], [], [])
        if 0 in ready:
            return
        connection, _ = listener.accept()
        if os.fork() == 0:  # one process that answers, so that requests may overlap
            listener.close()
            answer(connection)
            os._exit(0)
        connection.close()
        reap()


def answer(connection: socket.socket) -> None:
    """Run one program in a fork of this fork, and send its exit status."""
    head, streams, _, _ = socket.recv_fds(connection, 4, STREAMS)
    job = b""
    while len(job) < int.from_bytes(head, "big"):
        job += connection.recv(1 << 16)
    child = os.fork()
    if child == 0:
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
        status = run(**json.loads(job))
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
    _, status = os.waitpid(child, 0)
    connection.sendall(str(os.waitstatus_to_exitcode(status)).encode())


def run(words: list[str], folder: str, environment: dict[str, str]) -> int:
    """The program in this process."""
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = words
    try:
        return start(*words) or 0
    except SystemExit as end:
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        sys.excepthook(*sys.exc_info())  # the plug-in's makes one line of a user's mistake
        return 1


def start(name: str, *rest: str) -> int | None:
    """Run the program that ``name`` names; the path of modules begins as Python's own would."""
    sys.path[0] = str(Path(name).resolve().parent) if name.endswith(".py") else os.getcwd()
    if name.startswith("fairseq-"):
        return importlib.import_module("fairseq_cli." + name.removeprefix("fairseq-").replace("-", "_")).cli_main()
    if name == "vqnat":
        return importlib.import_module("vqnat.cli").main(rest)
    if name == "-c":
        exec(compile(sys.stdin.read(), "<standard input>", "exec"), {"__name__": "__main__"})
    elif name == "-m":
        sys.argv = list(rest)
        runpy.run_module(rest[0], run_name="__main__", alter_sys=True)
    else:
        runpy.run_path(name, run_name="__main__")
    return 0


def reap() -> None:
    """Collect the forks that have answered."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


if __name__ == "__main__":
    if sys.argv[1] == "--client":
        sys.exit(request(sys.argv[2], sys.argv[3:], os.getcwd(), range(STREAMS)))
    serve(sys.argv[1], sys.argv[2:])
