"""What stands before HTTP: how many connections there are, how slowly each may send and read, how much it may send.

uvicorn limits none of this for a request whose head has not arrived: a client that sends one byte a minute would hold
its connection for ever, and one that never ends its head would fill the memory.
"""

import json
from asyncio import TimerHandle, Transport
from time import monotonic
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from vqnat_serving.server.guards import SECURITY_HEADERS, Guards

GRACE = 0.3  # seconds in which a connection that was accepted before the stop may still send its request
MOST_HEAD = 32768  # bytes of a request line and its headers
HEAD_TIMEOUT = 10.0  # seconds in which they must have arrived, unless a request may take less altogether
OVERHEAD = 8  # what is sent for a byte of the body at most: small chunks have more framing than content


class Connection(HttpToolsProtocol):
    """uvicorn's, with limits; and at the stop it would close connections whose request has not been read yet.

    When there are too many connections, the one that has waited longest for its request makes room. So clients that
    open connections and send nothing keep nobody out.

    The limits of the application (:class:`Guards`) hold here too: ``timeout`` for a client to read what is sent to it.
    """

    app: Guards

    def __init__(self, *arguments: Any, **options: Any):
        super().__init__(*arguments, **options)
        self._timer: TimerHandle | None = None
        self._reader_timer: TimerHandle | None = None
        self._received = 0  # bytes of the request that is arriving
        self._in_head = True
        self.idle_since = monotonic()

    @property
    def idle(self) -> bool:
        """Whether no request is being answered."""
        return self.cycle is None or self.cycle.response_complete

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        """Begin, if there is room or can be made."""
        waiting = [one for one in self.connections if isinstance(one, Connection) and one.idle]
        waiting = [one for one in waiting if not one.transport.is_closing()]
        full = len(self.connections) >= self.app.max_connections
        super().connection_made(transport)
        self._expect_head()
        if full:
            one = min(waiting, key=lambda one: one.idle_since, default=self)
            one.refuse(503, "connections", f"{self.app.max_connections} connections are open; try again later")
            self.connections.discard(one)  # others may come before it has ended

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        for timer in (self._timer, self._reader_timer):
            if timer is not None:
                timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Pass on what arrives, within the limits."""
        if self.transport.is_closing():
            return
        self._received += len(data)
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self._in_head and self._received > MOST_HEAD:
            self.refuse(431, "head_too_large", f"the request's head is larger than {MOST_HEAD} bytes")
        elif self._received > MOST_HEAD + OVERHEAD * self.app.max_body:
            self.transport.abort()  # the answer, if there is one yet, has said that the body is too large
        elif self.idle and self._timer is None:
            self._expect_head()  # something came that begins no request

    def on_message_begin(self) -> None:
        """The first byte of a request has come."""
        super().on_message_begin()
        if not self._in_head:
            self._received, self._in_head = 0, True
        if self._timer is None:
            self._expect_head()

    def on_headers_complete(self) -> None:
        """The head is there; the body has a timeout of its own."""
        self._in_head = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        super().on_headers_complete()

    def on_response_complete(self) -> None:
        """Wait for the next request."""
        self.idle_since = monotonic()
        super().on_response_complete()

    def timeout_keep_alive_handler(self) -> None:
        """Close, and do not wait for ever until what was sent is read."""
        super().timeout_keep_alive_handler()
        self._expect_reading()

    def pause_writing(self) -> None:
        """The client reads more slowly than it is answered."""
        super().pause_writing()
        self._expect_reading()

    def resume_writing(self) -> None:
        """It has read."""
        if self._reader_timer is not None:
            self._reader_timer.cancel()
            self._reader_timer = None
        super().resume_writing()

    def send_400_response(self, msg: str) -> None:
        """As other errors are."""
        self.refuse(400, "http", msg.removesuffix("."))

    def refuse(self, status: int, code: str, error: str) -> None:
        """Answer with an error without asking the application, and close; in the middle of an answer, only close."""
        if not self.idle:
            self.transport.abort()
            return
        body = json.dumps({"error": error, "code": code}).encode()
        headers = {
            "content-type": "application/json",
            "content-length": str(len(body)),
            "connection": "close",
            "cache-control": "no-store",
            **({"retry-after": "1"} if status == 503 else {}),
            **SECURITY_HEADERS,
        }
        lines = [f"HTTP/1.1 {status} {_PHRASES[status]}", *(f"{name}: {value}" for name, value in headers.items())]
        self.transport.write("\r\n".join([*lines, "", ""]).encode("ascii") + body)
        self.transport.close()
        self._expect_reading()

    def shutdown(self) -> None:
        """Close as soon as the request that is being answered is, but not before :data:`GRACE`."""
        self.loop.call_later(GRACE, super().shutdown)

    def _expect_head(self) -> None:
        self._timer = self.loop.call_later(min(HEAD_TIMEOUT, self.app.timeout), self._too_slow)

    def _too_slow(self) -> None:
        self._timer = None
        if not self.transport.is_closing():
            error = f"the request's head did not arrive within {min(HEAD_TIMEOUT, self.app.timeout):g} seconds"
            self.refuse(408, "head_too_slow", error)

    def _expect_reading(self) -> None:
        if self._reader_timer is None:
            self._reader_timer = self.loop.call_later(self.app.timeout, self.transport.abort)


_PHRASES = {
    400: "Bad Request",
    408: "Request Timeout",
    431: "Request Header Fields Too Large",
    503: "Service Unavailable",
}
