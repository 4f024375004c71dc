"""Runs Python programs in forks of one process that has imported torch and fairseq, which saves seconds for each.

``python fork_server.py SOCKET`` serves until its standard input ends. ``python -S fork_server.py SOCKET PROGRAM ARGS``
is a client: PROGRAM is ``fairseq-NAME``, ``vqnat``, ``-m``, ``-c`` (code from standard input) or a file. It gets the
client's folder, environment and standard streams; its exit status becomes the client's.
"""

import array
import json
import os
import socket
import sys

STREAMS = 3


def client(path: str, words: list[str]) -> int:
    """Have a program run; returns its exit status."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(path)
        request = json.dumps({"words": words, "folder": os.getcwd(), "environment": dict(os.environ)}).encode()
        streams = array.array("i", range(STREAMS))
        connection.sendmsg([len(request).to_bytes(4, "big")], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, streams)])
        connection.sendall(request)
        return int(connection.recv(16) or b"1")


def serve(path: str) -> None:
    """Import what everything needs, then fork for each request until standard input ends."""
    import select

    import fairseq_cli.generate
    import fairseq_cli.interactive
    import fairseq_cli.preprocess
    import fairseq_cli.train
    import fairseq_cli.validate  # noqa: F401
    import torch

    import vqnat.plugin  # noqa: F401

    torch.set_num_threads(1)
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
    request = b""
    while len(request) < int.from_bytes(head, "big"):
        request += connection.recv(1 << 16)
    child = os.fork()
    if child == 0:
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
        status = run(json.loads(request))
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
    _, status = os.waitpid(child, 0)
    connection.sendall(str(os.waitstatus_to_exitcode(status)).encode())


def run(request: dict) -> int:
    """The program in this process."""
    import traceback

    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    name, *rest = request["words"]
    sys.argv = [name, *rest]
    try:
        return start(name, rest) or 0
    except SystemExit as end:
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
        return 1


def start(name: str, rest: list[str]) -> int | None:
    import importlib
    import runpy

    if name.startswith("fairseq-"):
        module = importlib.import_module("fairseq_cli." + name.removeprefix("fairseq-").replace("-", "_"))
        return module.cli_main()
    if name == "vqnat":
        from vqnat.cli import main

        return main(rest)
    if name == "-c":
        exec(compile(sys.stdin.read(), "<documentation>", "exec"), {"__name__": "__documentation__"})
        return 0
    if name == "-m":
        sys.argv = rest
        runpy.run_module(rest[0], run_name="__main__", alter_sys=True)
        return 0
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
    if len(sys.argv) > 2:
        sys.exit(client(sys.argv[1], sys.argv[2:]))
    serve(sys.argv[1])
