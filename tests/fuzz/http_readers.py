"""The server, from bytes and from requests."""

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from hypothesis import strategies as st

from fuzz.reader import reader
from fuzz.values import NUMBERS, TEXTS, VALUES, as_json


class Wire:
    """A transport that keeps what is written to it."""

    def __init__(self) -> None:
        self.sent, self.closed = bytearray(), False

    def write(self, data: bytes) -> None:
        self.sent += data

    def close(self) -> None:
        self.closed = True

    abort = close

    def is_closing(self) -> bool:
        return self.closed

    def get_extra_info(self, name: str) -> Any:
        return None

    def pause_reading(self) -> None:
        pass

    resume_reading = set_protocol = pause_reading


@cache
def application() -> Any:
    """The server's application with the small model, its queue open, and the loop that it runs in."""
    import asyncio

    from vqnat_serving.server import app
    from vqnat_serving.server.engine import Engine
    from vqnat_serving.server.settings import Settings

    settings = Settings(allowed_hosts=("localhost",), max_length=60, max_lines=3, max_beam=3, max_body=4096)
    loop = asyncio.new_event_loop()
    made: list[app.Service] = []
    kept = app.Service
    app.Service = lambda *arguments: made.append(kept(*arguments)) or made[0]
    guards = app.create(settings, Engine(settings))
    app.Service = kept

    async def begin() -> None:
        made[0].open()

    loop.run_until_complete(begin())
    return SimpleNamespace(guards=guards, loop=loop)


def requests() -> list[bytes]:
    body = b'{"text": "The man sleeps."}'
    return [
        b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"POST /translate HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        b"Content-Length: %d\r\n\r\n%s" % (len(body), body),
        b"POST /explain HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n{}\n\r\n0\r\n\r\n",
        b"GET /page/../x HTTP/1.0\r\n\r\nGET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    ]


@reader("HTTP, bytes", seeds=requests, longest=2048)
def http_bytes(folder: Path) -> Callable:
    import asyncio
    import logging

    import uvicorn
    from uvicorn.server import ServerState

    from vqnat_serving.server.connections import Connection

    made = application()
    logging.disable(logging.CRITICAL)
    config = uvicorn.Config(made.guards, ws="none", log_config=None, lifespan="off", proxy_headers=False)
    config.load()

    async def serve(content: bytes) -> bytearray:
        state, wire = ServerState(), Wire()
        connection = Connection(config, state, {}, asyncio.get_running_loop())
        connection.connection_made(wire)  # type: ignore[arg-type]
        for start in range(0, len(content), 700):
            if not wire.closed:
                connection.data_received(content[start : start + 700])
            await asyncio.sleep(0)
        connection.connection_lost(None)
        if state.tasks:
            await asyncio.wait(state.tasks, timeout=20)
            assert not state.tasks, "a request does not end"
        return wire.sent

    def read(content: bytes) -> None:
        sent = made.loop.run_until_complete(serve(content))
        assert b"HTTP/1.1 500" not in sent, bytes(sent)

    return read


def request_values() -> st.SearchStrategy:
    text = st.one_of(TEXTS.filter(lambda text: len(text) < 300), st.just("The man sleeps."))
    codes = st.lists(st.integers(-2, 600), max_size=5)
    number = st.one_of(st.integers(-2, 6), NUMBERS)
    bodies = st.fixed_dictionaries(
        {"text": text | st.lists(text, max_size=4) | VALUES},
        optional={
            "beam": number,
            "n_best": number,
            "scores": st.booleans() | VALUES,
            "codes": codes | st.booleans() | VALUES,
            "alignment": st.booleans(),
            "given_codes": codes | st.lists(codes, max_size=4),
            "place": number,
            "count": number,
            "other": VALUES,
        },
    )
    return st.tuples(st.sampled_from(["/translate", "/codes", "/explain", "/compare"]), bodies | VALUES)


@reader("HTTP, requests", strategy=request_values)
def http_requests(folder: Path) -> Callable:
    made = application()

    async def ask(path: str, body: bytes) -> tuple[int, bytes]:
        given, status, content = False, 0, b""

        async def receive() -> dict:
            nonlocal given
            if given:
                return {"type": "http.disconnect"}
            given = True
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: dict) -> None:
            nonlocal status, content
            status = message.get("status", status)
            content += message.get("body", b"")

        headers = [(b"host", b"localhost"), (b"content-type", b"application/json")]
        scope = {"type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "scheme": "http"}
        scope |= {"path": path, "raw_path": path.encode(), "query_string": b"", "root_path": "", "headers": headers}
        await made.guards(scope, receive, send)
        return status, content

    def read(request: tuple[str, Any]) -> None:
        status, content = made.loop.run_until_complete(ask(request[0], as_json(request[1])))
        assert status in (200, 400, 413, 422), (status, content)
        answer = json.loads(content)
        assert status == 200 or set(answer) == {"error", "code"}

    return read
