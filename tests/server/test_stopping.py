"""SIGTERM loses no accepted request, with one process and with several."""

import http.client
import threading

import pytest
from serving_process import Served

pytestmark = pytest.mark.slow

LINE = "one two three four"


def test_waiting_requests_are_answered(model):
    with Served(model.folder, "--batch-wait", 3000) as server:
        answers = []
        bodies = [{"text": [f"{LINE} {word}", word]} for word in ("one", "two", "three", "four", "five")]
        asking = threading.Thread(target=lambda: answers.extend(server.together(bodies)))
        asking.start()
        server.wait_for("vqnat_sentences_inside", 10)
        server.signal()
        asking.join()
        assert [answer.status for answer in answers] == [200] * 5
        expected = model.runner.translate([text for body in bodies for text in body["text"]])
        found = [row["candidates"][0]["text"] for answer in answers for row in answer.json["translations"]]
        assert found == expected
        server.stop()
        with pytest.raises(ConnectionRefusedError):
            server.ask("GET", "/healthz")


@pytest.mark.parametrize("workers", [1, 2])
def test_under_load(model, workers):
    """Clients that never stop asking; the server counts what it has answered, and all of that has arrived."""
    with Served(model.folder, "--workers", workers) as server:
        while server.ask("GET", "/readyz").status != 200:
            pass
        arrived, broken = [], []

        def client(keep):
            connection = server.connect()
            while True:
                try:
                    connection.request(
                        "POST", "/translate", b'{"text": "one two"}', {"Content-Type": "application/json"}
                    )
                    found = connection.getresponse()
                except (ConnectionError, http.client.HTTPException):
                    return
                try:
                    content = found.read()
                except http.client.HTTPException as error:
                    broken.append(error)
                    return
                arrived.append((found.status, content))
                if not keep:
                    connection.close()

        before = server.metric('vqnat_requests_total{path="/readyz",status="200"}')
        clients = [threading.Thread(target=client, args=(keep,)) for keep in (True, True, False, False)]
        for one in clients:
            one.start()
        server.wait_for("vqnat_sentences_total", 50)
        observed = server.metric('vqnat_requests_total{path="/metrics",status="200"}') + 1
        server.signal()
        for one in clients:
            one.join()
        notes = server.stop()
    assert not broken
    assert {status for status, _ in arrived} == {200}
    assert notes == [f"vqnat serve: stopped after {len(arrived) + int(before + observed)} requests"]
