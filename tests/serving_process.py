"""``vqnat serve`` as a process of its own on the loopback, and requests to it."""

import http.client
import json
import re
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from bitext import REPO

COMMAND = (sys.executable, "-m", "vqnat", "serve", "--port", "0", "--model")


@dataclass
class Answer:
    """Status, headers and content of an answer."""

    status: int
    headers: http.client.HTTPMessage
    content: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.content)


class Served:
    """A running server."""

    def __init__(self, model, *options):
        command = [*COMMAND, str(model), *map(str, options)]
        self.process = subprocess.Popen(command, cwd=REPO, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.notes, self.signaled = [], False
        for line in self.process.stderr:
            self.notes.append(line.strip())
            if found := re.search(r"http://\S+:(\d+)/", line):
                self.port = int(found[1])
                return
        raise AssertionError(f"the server did not start: {self.notes}")

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)

    def ask(self, method, path, body=None, **headers) -> Answer:
        """One request on a connection of its own; a body that is no bytes is sent as JSON."""
        if body is not None and not isinstance(body, bytes):
            body, headers = json.dumps(body).encode(), {"Content-Type": "application/json"} | headers
        connection = self.connect()
        try:
            connection.request(method, path, body, headers)
            found = connection.getresponse()
            return Answer(found.status, found.headers, found.read())
        finally:
            connection.close()

    def post(self, path, **body) -> Any:
        """The JSON of a good answer."""
        found = self.ask("POST", path, body)
        assert found.status == 200, found.content
        return found.json

    def refusal(self, path, body, **headers) -> tuple[int, str, str]:
        """Status, code and text of a bad answer to a POST."""
        found = self.ask("POST", path, body, **headers)
        assert set(found.json) == {"error", "code"} and b"Traceback" not in found.content
        return found.status, found.json["code"], found.json["error"]

    def together(self, bodies, path="/translate") -> list[Answer]:
        """Requests at the same time."""
        with ThreadPoolExecutor(len(bodies)) as pool:
            return list(pool.map(lambda body: self.ask("POST", path, body), bodies))

    def metric(self, name: str) -> float:
        """A value of /metrics, labels included in the name; 0 where it has none yet."""
        lines = self.ask("GET", "/metrics").content.decode().splitlines()
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.rsplit(" ", 1)[0] == name)

    def wait_for(self, name: str, least: float) -> None:
        """Until a metric has reached a value."""
        until = time.monotonic() + 30
        while self.metric(name) < least:
            assert time.monotonic() < until, f"{name} stays below {least}"
            time.sleep(0.01)

    def signal(self) -> None:
        """SIGTERM, once."""
        if not self.signaled and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        self.signaled = True

    def stop(self) -> list[str]:
        """Stop it as a service manager does; its notes since the start. Fails unless it ends well."""
        self.signal()
        _, rest = self.process.communicate(timeout=60)
        assert self.process.returncode == 0, rest
        return rest.splitlines()

    def __enter__(self) -> "Served":
        return self

    def __exit__(self, *_: object) -> None:
        try:
            assert not [line for line in self.stop() if "Traceback" in line]
        finally:
            self.process.kill()
