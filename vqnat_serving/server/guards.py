"""What stands before every request: hosts, sizes, times, headers, counting. Plain ASGI."""

import asyncio
import logging
from collections.abc import Collection
from time import perf_counter

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vqnat_serving.server.metrics import Metrics

log = logging.getLogger("vqnat_serving.server")

SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


def problem(status: int, code: str, error: str, **headers: str) -> JSONResponse:
    """An error as JSON."""
    return JSONResponse({"error": error, "code": code}, status, headers or None)


class Guards:
    """Refuses what is too large, too slow or from elsewhere before the application sees it; counts the rest.

    Args:
        app: the application.
        metrics: where requests are counted.
        paths: addresses that are counted by name; others are "other".
        hosts: names that Host may have; empty: any. A page elsewhere that makes its own name point to this machine
            (DNS rebinding) is refused by its name.
        max_body: bytes.
        timeout: seconds in which the body must have arrived.
        max_connections: that are open at a time.
    """

    def __init__(
        self,
        app: ASGIApp,
        metrics: Metrics,
        paths: Collection[str],
        hosts: Collection[str],
        max_body: int,
        timeout: float,
        max_connections: int,
    ):
        self.app, self.metrics, self.paths, self.hosts = app, metrics, frozenset(paths), frozenset(hosts)
        self.max_body, self.timeout, self.max_connections = max_body, timeout, max_connections

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        path = scope["path"] if scope["path"] in self.paths else "other"
        status, begun = 500, perf_counter()

        async def send_guarded(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    headers[name] = value
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        self.metrics.in_flight.inc()
        try:
            await self._answer(scope, receive, send_guarded)
        finally:
            self.metrics.in_flight.dec()
            self.metrics.requests.labels(path, str(status)).inc()
            self.metrics.seconds.labels(path).observe(perf_counter() - begun)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        if self.hosts and _host_name(headers.get("host", "")) not in self.hosts:
            await problem(421, "host", "this server does not answer under that host name")(scope, receive, send)
            return
        refused, body = await self._body(headers, receive)
        if refused is not None:
            await refused(scope, receive, send)
            return
        given, begun = False, False

        async def receive_again() -> Message:
            nonlocal given
            if not given:
                given = True
                return {"type": "http.request", "body": body, "more_body": False}
            return await receive()

        async def send_noted(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self.app(scope, receive_again, send_noted)
        except Exception:
            log.exception("request failed")
            if begun:
                raise
            await problem(500, "internal", "internal error; the server's log says more")(scope, receive, send)

    async def _body(self, headers: Headers, receive: Receive) -> tuple[JSONResponse | None, bytes]:
        """The whole body, or why not."""
        too_large = problem(413, "body_too_large", f"the body is larger than {self.max_body} bytes", Connection="close")
        length = headers.get("content-length", "0")
        if length.isdecimal() and int(length) > self.max_body:
            return too_large, b""
        parts: list[bytes] = []
        try:
            async with asyncio.timeout(self.timeout):
                while True:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        return problem(400, "disconnected", "the body did not arrive"), b""
                    parts.append(message.get("body", b""))
                    if sum(map(len, parts)) > self.max_body:
                        return too_large, b""
                    if not message.get("more_body", False):
                        return None, b"".join(parts)
        except TimeoutError:
            error = f"the body did not arrive within {self.timeout:g} seconds"
            return problem(408, "body_too_slow", error, Connection="close"), b""


def _host_name(host: str) -> str:
    """A Host header without its port."""
    if host.startswith("["):
        return host.partition("]")[0] + "]"
    return host.partition(":")[0].lower()
