"""Serve a model over HTTP, with a page that shows how it translates.

vqnat serve --model DIR
vqnat serve --model DIR --teacher TEACHER_DIR --port 8080
"""

import argparse
import ipaddress
import os
import signal
import socket
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from vqnat_serving.arguments import CommandParser, at_least, number_at_least
from vqnat_serving.command_line import SHORTLIST_HELP
from vqnat_serving.console import run_program, say
from vqnat_serving.description import PRECISIONS
from vqnat_serving.errors import UserError
from vqnat_serving.server.settings import Settings

LOOPBACK = ("localhost", "127.0.0.1", "[::1]")


def parser() -> CommandParser:
    """All options."""
    default = Settings()
    p = CommandParser("vqnat serve", str(__doc__), extra="server")
    p.add_argument("--model", metavar="DIR", help="model folder, export, or org/name (default: the small model)")
    p.add_argument("--teacher", metavar="DIR", help="model folder with ctranslate2/, to be seen beside the model")
    p.add_argument("--precision", choices=PRECISIONS, help="default: the first that the model has")
    text = "of an operation; 0: one a core (default: 1)"
    p.add_argument("--threads", type=at_least(0), default=1, metavar="N", help=text)
    p.add_argument("--shortlist", action="store_true", help=SHORTLIST_HELP)
    text = "processes, each with its models (default: 1)"
    p.add_argument("--workers", type=at_least(1), default=1, metavar="N", help=text)
    net = p.add_argument_group("network")
    net.add_argument("--host", default="127.0.0.1", metavar="ADDRESS", help="default: 127.0.0.1, this machine only")
    net.add_argument("--port", type=int, default=8000, help="0: any free one (default: 8000)")
    net.add_argument(
        "--allow-host",
        action="append",
        default=[],
        metavar="NAME",
        help="on the loopback, a further name that requests may use, such as a proxy's; more than once",
    )
    limits = p.add_argument_group("limits")
    for name, text in {
        "max_body": "bytes of a request",
        "max_lines": "texts of a request",
        "max_length": "characters of a text",
        "max_beam": "candidates of a text",
        "max_queue": "sentences that wait or are translated; beyond it requests are answered 503",
        "max_batch": "candidates that are decoded together",
        "max_connections": "connections of a process; then the one that has waited longest for its request is closed",
    }.items():
        value = getattr(default, name)
        option = f"--{name.replace('_', '-')}"
        limits.add_argument(option, type=at_least(1), default=value, metavar="N", help=f"{text} (default: {value})")
    text = "ms that an idle model waits for others to share a batch (default: 0, it begins at once)"
    wait = default.batch_wait
    limits.add_argument("--batch-wait", type=number_at_least(0), default=wait, metavar="MS", help=text)
    text = f"seconds that a request may take (default: {default.timeout:g})"
    limits.add_argument("--timeout", type=number_at_least(0.001), default=default.timeout, metavar="S", help=text)
    return p


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM or Ctrl-C, then answer what was accepted. Returns the exit status."""
    return run_program(parser(), serve, argv)


def serve(options: argparse.Namespace) -> int:
    """Load, listen, serve. Raises UserError."""
    settings = settings_of(options)
    if not 0 <= options.port <= 65535:
        raise UserError(f"--port {options.port}: needed 0 to 65535")
    import uvicorn  # noqa: F401  (what is missing is named before anything is loaded)

    from vqnat_serving.server.engine import Engine
    from vqnat_serving.server.processes import run

    listening = listen(options.host, options.port)
    engine = Engine(settings)  # with several workers a check, so that a mistake is one line
    host, port = listening.getsockname()[:2]
    address = f"[{host}]" if ":" in host else host
    if not is_loopback(options.host):
        open_to = "whoever reaches this machine can use the server; it has no passwords and no encryption"
        say("serve", f"warning: --host {options.host}: {open_to}")
    about = engine.translator.description
    many = f"{options.workers} worker{'s' if options.workers > 1 else ''}"
    served = f"{engine.name}, {about.source_lang} to {about.target_lang}, {engine.precision}, {many}"
    say("serve", f"http://{address}:{port}/ ({served})")
    with quiet_signals(), counted_together(options.workers):
        answered = run(settings, engine if options.workers == 1 else None, listening, options.workers)
    say("serve", f"stopped after {answered} requests")
    return 0


def settings_of(options: argparse.Namespace) -> Settings:
    """The options as settings. Raises UserError."""
    hosts = (*LOOPBACK, *(name.lower() for name in options.allow_host)) if is_loopback(options.host) else ()
    settings = Settings(
        options.model,
        options.teacher,
        options.precision,
        options.threads,
        options.shortlist,
        hosts,
        options.max_body,
        options.max_lines,
        options.max_length,
        options.max_beam,
        options.max_queue,
        options.max_batch,
        options.batch_wait,
        options.max_connections,
        options.timeout,
    )
    if settings.max_queue < settings.max_lines:
        raise UserError(f"--max-queue {settings.max_queue}: needed --max-lines, {settings.max_lines}, or more")
    return settings


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach an address."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def listen(host: str, port: int) -> socket.socket:
    """A listening socket. Raises UserError."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        made = socket.socket(family, kind, protocol)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(address)
        made.listen(1024)
    except OSError as error:
        raise UserError(f"--host {host} --port {port}: {error.strerror or error}") from error
    made.set_inheritable(True)
    return made


@contextmanager
def quiet_signals() -> Iterator[None]:
    """Inside, SIGTERM and SIGINT end nothing by themselves: the server has its own handlers, and sends them on."""
    before = {number: signal.signal(number, lambda *_: None) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def counted_together(workers: int) -> Iterator[None]:
    """Inside, several processes add up their metrics in a folder of their own."""
    if workers == 1:
        yield
        return
    name = "PROMETHEUS_MULTIPROC_DIR"
    with tempfile.TemporaryDirectory(prefix="vqnat-metrics-") as folder:
        os.environ[name] = folder
        try:
            yield
        finally:
            del os.environ[name]


if __name__ == "__main__":
    sys.exit(main())
