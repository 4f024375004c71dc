"""Models by their names on the Hub: from a server that answers as the Hub does, from the cache, without a network."""

import hashlib
import json
import os
import subprocess
import sys
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import unquote, urlsplit

import bitext
import pytest

COMMIT = "0123456789abcdef0123456789abcdef01234567"
PROGRAM = """
import json, sys
from vqnat_serving import OnnxTranslator
from vqnat_serving.errors import UserError

for name, revision in json.loads(sys.argv[1]):
    try:
        print(*OnnxTranslator(name, revision=revision).translate(["one two"]))
    except UserError as error:
        print("error:", error)
    if "torch" in sys.argv:
        from vqnat.hub import LatentTranslator
        print(*LatentTranslator.from_pretrained(name, revision=revision).translate(["one two"]))
"""


class Hub(SimpleHTTPRequestHandler):
    """The four requests with which huggingface_hub fetches ``org/digits``."""

    def __init__(self, *arguments, folder: Path, fetched: list[str], **options):
        self.folder, self.fetched = folder, fetched
        super().__init__(*arguments, **options)

    def do_HEAD(self):
        self.do_GET()

    def do_GET(self):
        path = unquote(urlsplit(self.path).path)
        files = sorted(file for file in self.folder.rglob("*") if file.is_file())
        names = [file.relative_to(self.folder).as_posix() for file in files]
        if path == "/api/models/org/digits/revision/main":
            self.answer({"id": "org/digits", "sha": COMMIT, "siblings": [{"rfilename": name} for name in names]})
        elif path == f"/api/models/org/digits/tree/{COMMIT}":
            sizes = [file.stat().st_size for file in files]
            oids = [hashlib.sha1(file.read_bytes()).hexdigest() for file in files]
            rows = zip(names, sizes, oids, strict=True)
            self.answer([{"type": "file", "path": name, "size": size, "oid": oid} for name, size, oid in rows])
        elif path.startswith(f"/org/digits/resolve/{COMMIT}/"):
            name = path.removeprefix(f"/org/digits/resolve/{COMMIT}/")
            if self.command == "GET":
                self.fetched.append(name)
            self.answer((self.folder / name).read_bytes())
        elif path.startswith("/api/models/org/digits/"):
            self.refuse("RevisionNotFound")
        else:
            self.refuse("RepoNotFound")

    def answer(self, content):
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", f'"{hashlib.sha1(body).hexdigest()}"')
        self.send_header("X-Repo-Commit", COMMIT)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def refuse(self, code):
        self.send_response(404)
        self.send_header("X-Error-Code", code)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *arguments):
        pass


def ask(cache, *names, endpoint="http://127.0.0.1:9", offline=False, more=()):
    """What the runner says about models, in a process of its own."""
    environment = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
    environment |= {"HF_HUB_CACHE": str(cache), "HF_ENDPOINT": endpoint, "HF_HUB_OFFLINE": str(int(offline))}
    environment |= {"HF_HUB_DISABLE_TELEMETRY": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1", "HF_HUB_DISABLE_XET": "1"}
    words = [sys.executable, "-c", PROGRAM, json.dumps(names), *more]
    done = subprocess.run(words, cwd=bitext.REPO, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout.splitlines()


@pytest.mark.slow
def test_what_is_needed_is_fetched_once_and_then_found_without_a_network(onnx_folder, tmp_path):
    fetched: list[str] = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Hub, folder=onnx_folder, fetched=fetched))
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        endpoint = f"http://127.0.0.1:{server.server_port}"
        names = (["org/digits", None], ["org/digits", "v9"], ["org/nothing", None])
        found = ask(tmp_path, *names, endpoint=endpoint)
        assert found[0] == "eins zwei"
        assert found[1] == "error: org/digits (revision v9): no such revision on the Hugging Face Hub"
        assert found[2].startswith("error: org/nothing: no such folder, and no such model on the Hugging Face Hub")
        assert "model.safetensors" not in fetched and "onnx/fp32/decoder.onnx" in fetched
        once = len(fetched)
        assert ask(tmp_path, names[0], endpoint=endpoint, more=["torch"]) == ["eins zwei"] * 2
        assert fetched[once:] == ["model.safetensors"]
    finally:
        server.shutdown()
    assert ask(tmp_path, names[0], ["org/digits", COMMIT]) == ["eins zwei"] * 2  # the port is closed
    assert ask(tmp_path, names[0], offline=True) == ["eins zwei"]


def test_without_a_network_and_a_cache_it_is_one_line(tmp_path):
    lines = ask(tmp_path, ["org/digits", None], ["tests/missing", None], ["runs/best.pt", None], offline=True)
    assert lines[0].startswith(
        "error: org/digits: no such folder, not in the cache of the Hugging Face Hub, and the Hub "
    )
    assert lines[1].startswith("error: tests/missing: no such folder")  # tests is a folder here: not a name
    assert lines[2].startswith("error: runs/best.pt: no such folder")
    assert len(lines) == 3
