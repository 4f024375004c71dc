"""The command line: what it loads, and mistakes in one line."""

import socket
import sys

import bitext
import pytest
from serving_process import Served


def serve(*options):
    done = bitext.run(sys.executable, "-m", "vqnat", "serve", *options, check=False)
    assert done.returncode == 2 and "Traceback" not in done.stderr, done.stderr
    [line] = done.stderr.strip().splitlines()
    return line


def loaded(code):
    done = bitext.run(sys.executable, "-c", f"{code}; import sys; print(*sorted(sys.modules))")
    return {name.split(".")[0] for name in done.stdout.split()}


def test_help_needs_the_standard_library_only():
    names = loaded("from vqnat_serving.server.command import parser; parser().format_help()")
    assert not names & {"numpy", "fastapi", "uvicorn", "pydantic", "onnxruntime", "sentencepiece", "torch", "vqnat"}


def test_the_server_needs_neither_torch_nor_fairseq():
    names = loaded("import vqnat_serving.server.processes, vqnat_serving.server.engine")
    assert not names & {"torch", "fairseq", "omegaconf", "vqnat"}


def test_mistakes_are_one_line(tmp_path):
    assert "no such folder" in serve("--model", tmp_path / "none")
    assert serve("--model", tmp_path, "--port", 70000) == "vqnat serve: --port 70000: needed 0 to 65535"
    assert serve("--model", tmp_path, "--workers", 0) == "vqnat serve: --workers 0: needed 1 or more"
    assert "--max-queue 3: needed --max-lines, 64, or more" in serve("--model", tmp_path, "--max-queue", 3)
    assert "--batch-wait -1: needed 0 or more" in serve("--model", tmp_path, "--batch-wait", "-1")
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        assert serve("--model", tmp_path, "--port", port).endswith(f"--port {port}: Address already in use")


@pytest.mark.slow
def test_a_teacher_that_is_none(model, tmp_path):
    line = serve("--model", model.folder, "--teacher", tmp_path)
    assert line.endswith("needed a folder with ctranslate2/model.bin, or with model.bin")


@pytest.mark.slow
def test_other_machines_are_warned_of(model):
    with Served(model.folder, "--host", "0.0.0.0") as server:
        [warning, _] = server.notes
        assert warning.startswith("vqnat serve: warning: --host 0.0.0.0: whoever reaches this machine")
        assert server.ask("GET", "/healthz", Host="translate.example").status == 200


@pytest.mark.slow
def test_a_teacher_beside_the_model(model, teacher_checkpoint, digits, tmp_path):
    pytest.importorskip("ctranslate2", reason="CTranslate2 is not installed")
    code = "from ctranslate2.converters.fairseq import main; main()"
    paths = ("--model_path", teacher_checkpoint, "--data_dir", digits, "--output_dir", tmp_path / "ctranslate2")
    bitext.run(sys.executable, "-c", code, *paths, "--user_dir", "vqnat")
    with Served(model.folder, "--teacher", tmp_path) as server:
        found = server.post("/compare", text="one two three four")
        assert found["teacher"]["text"] == "eins zwei drei vier"
        assert found["teacher"]["ms"] > 0 and "beam 4; CTranslate2, fp32, 1 thread" in found["teacher"]["how"]
        assert server.ask("GET", "/model").json["teacher"]
