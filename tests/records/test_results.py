import hashlib
import json
import math
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from vqnat.records import results


def test_provenance_names_all_that_is_needed(tmp_path, monkeypatch):
    data = tmp_path / "data.bin"
    data.write_bytes(b"words")
    monkeypatch.setattr(sys, "argv", [str(results.ROOT / "scripts" / "x.py"), "--text", "two words"])
    record = results.provenance(3, {"test": data})
    assert set(record) == {"command", "commit", "seed", "data", "machine", "versions", "date"}
    assert shlex.split(record["command"]) == ["scripts/x.py", "--text", "two words"]
    assert record["seed"] == 3
    assert record["data"] == {"test": hashlib.sha256(b"words").hexdigest()}
    assert set(record["machine"]) == {"cpu", "logical_cores", "memory_gib", "torch_threads", "accelerator"}
    assert record["machine"]["logical_cores"] >= 1
    packages = {"python", "torch", "numpy", "fairseq-fixed", "sacrebleu", "sentencepiece", "vqnat"}
    packages |= {"onnxruntime", "ctranslate2"}
    assert set(record["versions"]) == packages and all(record["versions"].values())
    assert record["date"].endswith("+00:00")
    assert str(results.ROOT) not in json.dumps(record) and str(tmp_path) not in json.dumps(record["data"])


def test_paths_within_an_argument_lose_the_machine(monkeypatch):
    monkeypatch.setattr(Path, "home", lambda: Path("/home/me"))
    assert results.shown("/mnt/disk/data/multi30k") == ".../multi30k"
    assert results.shown("x=/mnt/disk/a.pt,beam=4") == "x=.../a.pt,beam=4"
    assert results.shown("runs/a.pt") == "runs/a.pt" and results.shown("0.9/0.98") == "0.9/0.98"
    written = results.shown(f"a={results.ROOT}/runs/a.pt,rescore_with=/home/me/b.pt")
    assert written == "a=runs/a.pt,rescore_with=~/b.pt"


def test_commit_tells_changes_and_knows_its_own_checkout(tmp_path):
    def git(*words):
        identity = ("-c", "user.name=n", "-c", "user.email=e@example.org")
        command = ["git", "-C", str(tmp_path), *identity, *words]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    assert results.commit(tmp_path) is None
    git("init", "-q")
    assert results.commit(tmp_path) is None  # nothing committed yet
    (tmp_path / "file").write_text("1")
    git("add", "file")
    git("commit", "-qm", "one")
    head = git("rev-parse", "HEAD")
    (tmp_path / "untracked").write_text("1")
    assert results.commit(tmp_path) == head
    (tmp_path / "file").write_text("2")
    assert results.commit(tmp_path) == head + "+changes"
    below = tmp_path / "site-packages"
    below.mkdir()
    assert results.commit(below) is None  # installed within somebody else's checkout


def test_json_is_whole_or_as_before(tmp_path):
    path = tmp_path / "new" / "result.json"
    value = {"ms": [1.5, 2, None], "text": ["[\n 1\n]", "ü"], "empty": [], "deep": [[1], [2, 3]]}
    results.write_json(path, value)
    text = path.read_text(encoding="utf-8")
    assert json.loads(text) == value
    assert text.endswith("}\n") and '"ms": [1.5, 2, null]' in text
    for broken, error in (({"ms": math.nan}, ValueError), ({"path": path}, TypeError)):
        with pytest.raises(error):
            results.write_json(path, broken)
    assert path.read_text(encoding="utf-8") == text
    assert list(path.parent.iterdir()) == [path]


def test_missing_input_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        results.provenance(None, {"test": tmp_path / "none"})


def test_the_console_program_is_called_by_its_name():
    for program in ("/somewhere/bin/vqnat", "/somewhere/vqnat/__main__.py"):
        assert results.command_line([program, "latency", "a b"]) == "vqnat latency 'a b'"
    assert results.command_line(["scripts/distill.py", "x"]) == "scripts/distill.py x"
