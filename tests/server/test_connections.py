"""Connections that send slowly, send too much, read nothing, or are too many: nobody else notices."""

import json
import socket
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from serving_process import Served

from vqnat_serving.model_folder import SMALL_MODEL

pytestmark = pytest.mark.slow

HEAD = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n"
TIMEOUT, MOST = 1.0, 20
POST = b"POST /translate HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"


@pytest.fixture(scope="module")
def server():
    """The small model behind a server with little patience and few connections."""
    with Served(SMALL_MODEL, "--timeout", TIMEOUT, "--max-connections", MOST) as server:
        yield server


def answer(server, content: bytes, pause: float = 0.0) -> bytes:
    """What comes back until the connection is closed; with a pause, byte by byte."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
        try:
            for part in [content[n : n + 1] for n in range(len(content))] if pause else [content]:
                connection.sendall(part)
                time.sleep(pause)
        except OSError:
            pass  # closed before all was sent
        found = b""
        try:
            while part := connection.recv(1 << 16):
                found += part
        except ConnectionResetError:
            pass
        return found


def refusal(found: bytes) -> tuple[int, str]:
    """Status and code of a refusal, whose headers are those of every answer."""
    head, _, body = found.partition(b"\r\n\r\n")
    lines = head.decode().lower().splitlines()
    assert any(line.startswith("content-security-policy: default-src 'self'") for line in lines), lines
    assert "x-content-type-options: nosniff" in lines and "connection: close" in lines
    return int(head.split()[1]), json.loads(body)["code"]


def test_heads_that_arrive_slowly_or_never(server):
    assert refusal(answer(server, b"")) == (408, "head_too_slow")
    assert refusal(answer(server, HEAD + b"X-Slow: yes\r\n", pause=0.05)) == (408, "head_too_slow")
    # So for a second request on a connection, and for what begins no request.
    found = answer(server, HEAD + b"\r\n" + HEAD)
    assert found.startswith(b"HTTP/1.1 200") and b"HTTP/1.1 408" in found
    assert answer(server, HEAD + b"\r\n" + b"\r\n\r\n").startswith(b"HTTP/1.1 200")  # and it ends


def test_heads_that_never_end(server):
    assert refusal(answer(server, HEAD + b"X-Long: " + b"a" * 100_000)) == (431, "head_too_large")
    assert refusal(answer(server, b"GET /" + b"a" * 100_000)) == (431, "head_too_large")
    assert refusal(answer(server, HEAD + b"X: y\r\n" * 20_000)) == (431, "head_too_large")


def test_what_is_no_http(server):
    for content in (b"\x16\x03\x01\x02\x00", b"NONSENSE\r\n\r\n", HEAD + b"Bad\x00: 1\r\n\r\n"):
        assert refusal(answer(server, content)) == (400, "http")
    upgrade = answer(server, HEAD + b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
    assert upgrade.startswith(b"HTTP/1.1 200")  # answered as if nothing had been asked


def test_chunks_whose_framing_is_most_of_them(server):
    chunk = b"1;" + b"x" * 4000 + b"\r\n \r\n"
    found = answer(server, POST + b"Transfer-Encoding: chunked\r\n\r\n" + chunk * 400)
    assert found == b"" or found.startswith((b"HTTP/1.1 413", b"HTTP/1.1 400", b"HTTP/1.1 408"))


def memory(server) -> int:
    """Bytes that the server's process has in memory."""
    line = next(one for one in Path(f"/proc/{server.process.pid}/status").read_text().splitlines() if "VmRSS" in one)
    return int(line.split()[1]) << 10


def test_a_flood_of_connections_keeps_nobody_out(server):
    before = memory(server)
    idle = [socket.create_connection(("127.0.0.1", server.port), timeout=20) for _ in range(5 * MOST)]
    try:
        for connection in idle:
            connection.sendall(b"POST /tr")
        assert server.post("/translate", text="The man sleeps.")
        assert server.ask("GET", "/healthz").status == 200
        open_now = len([path for path in Path(f"/proc/{server.process.pid}/fd").iterdir()])
        assert open_now < 3 * MOST  # those that waited longest were closed
    finally:
        for connection in idle:
            connection.close()
    assert memory(server) - before < 50 << 20


def test_a_flood_of_requests_is_answered_or_refused(server):
    def status(_) -> int:
        try:
            return server.ask("POST", "/translate", {"text": ["The man sleeps."] * 8}).status
        except OSError:
            return 503  # refused before the request was sent

    with ThreadPoolExecutor(3 * MOST) as pool:
        found = Counter(pool.map(status, range(6 * MOST)))
    assert set(found) <= {200, 503} and found[200]
    assert server.post("/translate", text="The man sleeps.")


def test_a_client_that_reads_nothing_is_let_go(server):
    body = json.dumps({"text": ["The man sleeps."] * 64, "beam": 4, "n_best": 4, "alignment": True}).encode()
    request = POST + b"Content-Length: %d\r\n\r\n%s" % (len(body), body)
    with socket.socket() as silent:
        silent.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
        silent.connect(("127.0.0.1", server.port))
        silent.settimeout(20)
        silent.sendall(request)
        until = time.monotonic() + 20
        while server.metric("vqnat_requests_in_flight") > 1 and time.monotonic() < until:
            time.sleep(0.1)
        assert server.metric("vqnat_requests_in_flight") == 1  # this one
