"""Every limit is answered by a clear error in JSON, and the server goes on."""

import socket
import time

import pytest
from serving_process import Served

pytestmark = pytest.mark.slow

LINE = "one two three"


@pytest.fixture(scope="module")
def strict(model):
    """A server with little patience."""
    limits = {"max-body": 2000, "max-lines": 3, "max-length": 100, "max-beam": 2, "max-queue": 4, "batch-wait": 400}
    words = [word for name, value in limits.items() for word in (f"--{name}", value)]
    with Served(model.folder, *words, "--timeout", 20) as server:
        yield server


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        ({"text": [LINE] * 4}, "too_many_texts", "4 texts; a request may have 3"),
        ({"text": ["one", "o" * 101]}, "text_too_long", "text 2 has 101 characters; this server reads at most 100"),
        ({"text": LINE, "beam": 3}, "beam_too_large", "beam 3: this server's largest is 2"),
        ({"text": LINE, "n_best": 2}, "n_best", "n_best 2: needed at most beam, 1"),
        ({"text": LINE, "beam": 0}, "invalid_request", "beam: Input should be greater than or equal to 1"),
        ({"text": LINE, "beams": 2}, "invalid_request", "beams: Extra inputs are not permitted"),
        ({"text": 3}, "invalid_request", "text.str: Input should be a valid string"),
        ({}, "invalid_request", "text: Field required"),
        (b"{", "invalid_request", "JSON decode error"),
        ({"text": LINE, "given_codes": [64]}, "codes", "code 64: needed 0 to 63"),
        ({"text": LINE, "given_codes": [-1]}, "codes", "code -1: needed 0 to 63"),
        ({"text": [LINE, LINE], "given_codes": [1]}, "given_codes", "1 code sequences for 2 texts"),
        ({"text": LINE, "given_codes": [1] * 600}, "codes", "600 codes for one sentence: needed 1 to "),
        ({"text": LINE, "given_codes": [1], "beam": 2}, "given_codes", "beam 2: given codes are decoded"),
        ({"text": LINE, "given_codes": []}, "given_codes", "0 code sequences for 1 texts"),
        (b'{"text": "\\ud800"}', "text_too_long", "text 1 is not text: half of a surrogate pair, U+D800"),
    ],
)
def test_impossible_requests(strict, body, code, message):
    headers = {"Content-Type": "application/json"} if isinstance(body, bytes) else {}
    status, found, text = strict.refusal("/translate", body, **headers)
    assert (status, found) == (422, code)
    assert message in text and "\n" not in text


def test_more_tokens_than_the_model_reads(model):
    with Served(model.folder, "--max-length", 9999) as server:
        answer = server.refusal("/translate", {"text": ["one", "1 " * 1024]})
    assert answer == (422, "text_too_long", "text 2 has 1025 tokens, its end included; the model reads at most 1024")


def test_impossible_places(strict):
    assert strict.refusal("/codes", {"text": LINE, "codes": [1], "place": 1})[1:] == ("place", "place 1: needed 0 to 0")
    assert strict.refusal("/codes", {"text": " ", "codes": [1], "place": 0})[1] == "empty_text"
    assert strict.refusal("/explain", {"text": LINE, "codes": [99]})[1] == "codes"


def test_large_bodies(strict):
    large = {"text": "o" * 3000}
    assert strict.refusal("/translate", large)[:2] == (413, "body_too_large")
    with socket.create_connection(("127.0.0.1", strict.port), timeout=20) as chunks:  # no header tells the length
        head = b"POST /translate HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
        chunks.sendall(head + b"bb8\r\n" + b"x" * 3000 + b"\r\n0\r\n\r\n")
        assert chunks.recv(1000).startswith(b"HTTP/1.1 413")


def test_bodies_that_do_not_arrive(model):
    texts = 2000  # many seconds of work at a beam of 16
    limits = ("--timeout", 0.5, "--max-lines", texts, "--max-queue", texts, "--max-body", 10_000_000)
    with Served(model.folder, *limits) as server:
        with socket.create_connection(("127.0.0.1", server.port), timeout=20) as slow:
            head = "POST /translate HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            slow.sendall(f"{head}Content-Length: 100\r\n\r\n{{".encode())
            answer = b"".join(iter(lambda: slow.recv(1000), b""))
        assert answer.startswith(b"HTTP/1.1 408") and b"body_too_slow" in answer
        # Work that takes longer is given up, and what has not begun is not done.
        heavy = {"text": ["one two three four five six " * 20] * texts, "beam": 16}
        assert server.refusal("/translate", heavy)[:2] == (503, "timeout")
        server.wait_for("vqnat_batch_seconds_count", 1)
        until = time.monotonic() + 20
        while server.metric("vqnat_sentences_inside") and time.monotonic() < until:
            time.sleep(0.05)
        assert server.metric("vqnat_sentences_total") < texts
        assert server.post("/translate", text=LINE)


def test_a_full_queue(strict):
    import threading

    found = []
    first = threading.Thread(target=lambda: found.append(strict.ask("POST", "/translate", {"text": [LINE] * 3})))
    first.start()
    strict.wait_for("vqnat_sentences_inside", 3)  # they wait for company
    second = strict.ask("POST", "/translate", {"text": [LINE] * 2})
    assert (second.status, second.json["code"]) == (503, "queue_full")
    assert second.headers["Retry-After"] == "1"
    first.join()
    assert found[0].status == 200  # and the refused ones took nothing from it


def test_other_addresses(strict):
    for path in (
        "/page/../command.py",
        "/page/%2e%2e/command.py",
        "/etc/passwd",
        "/page/",
        "//etc/passwd",
        "/page/x.js",
    ):
        answer = strict.ask("GET", path)
        assert answer.status == 404 and answer.json["code"] == "http", path
    assert strict.ask("GET", "/translate").status == 405
    assert strict.ask("POST", "/translate", {"text": LINE}, Host="attacker.example").status == 421
    assert strict.ask("GET", "/", Host="localhost:1234").status == 200


def test_headers_of_every_answer(strict):
    answers = [strict.ask("GET", path) for path in ("/", "/docs", "/page/page.js", "/metrics", "/nowhere")]
    answers += [strict.ask("POST", "/translate", body) for body in ({"text": LINE}, {"text": "o" * 3000}, b"{")]
    for answer in answers:
        policy = answer.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'self';") and "unsafe" not in policy and "http" not in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert "server" not in answer.headers


def test_the_page_is_sent_again_only_when_it_changes(strict):
    first = strict.ask("GET", "/page/style.css")
    assert first.headers["Content-Type"].startswith("text/css")
    assert strict.ask("GET", "/page/style.css", **{"If-None-Match": first.headers["ETag"]}).status == 304
