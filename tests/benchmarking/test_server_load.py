"""The load test writes what it measured."""

import json

import bitext
import pytest
from exporting import made_for_servers

pytestmark = pytest.mark.slow


def test_the_program_writes_its_figures(digits, latent_checkpoint, tmp_path, tmp_path_factory):
    exported = made_for_servers(latent_checkpoint, digits, tmp_path_factory)
    text = tmp_path / "lines.txt"
    text.write_text("one two three\n\nfour five six seven\n")
    sizes = ("--clients", 1, 4, "--rounds", 2, "--requests", 12, "--seconds", 5)
    done = bitext.run(
        *("scripts/benchmark_server.py", "--model", exported.folder, "--text", text, *sizes),
        *("--json", tmp_path / "found.json"),
    )
    found = json.loads((tmp_path / "found.json").read_text())
    assert [(one["system"], one["clients"]) for one in found["systems"]] == [
        *(("server", 1), ("server", 4), ("in process", 1), ("in process", 4))
    ]
    # Every sentence was sent, none twice; in process a request is a batch.
    assert [one["requests"] for one in found["systems"]] == [24, 24, 24, 6]
    for one in found["systems"]:
        rate = one["sentences_per_second"]
        assert 0 < rate["min"] <= rate["median"] <= rate["max"] and one["p50_ms"] <= one["p95_ms"]
    assert found["sentences"] == 2 and {"fastapi", "uvicorn", "onnxruntime"} <= found["versions"].keys()
    assert "fp32/decoder.onnx" in found["data"] and str(tmp_path) not in json.dumps(found)
    assert "server, 4 clients" in done.stdout

    wrong = bitext.run("scripts/benchmark_server.py", "--model", exported.folder, "--clients", 0, check=False)
    assert wrong.returncode == 2 and wrong.stderr == "benchmark_server: --clients 0: needed 1 or more\n"
