"""A short part of ``scripts/faults.sh``: nothing is lost."""

import json
import os
import subprocess

import bitext
import pytest

pytestmark = pytest.mark.slow
WORKS = ("training, hard_em, autocast", "distillation, --jobs", "packaging", "server")


def test_nothing_is_lost(tmp_path):
    out = tmp_path / "faults.json"
    words = ["scripts/faults.sh", "--trials", 2, "--others", 1, "--flips", 20, "--only", *WORKS, "--out", out]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    done = subprocess.run([*map(str, words)], cwd=bitext.REPO, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    found = json.loads(out.read_text())
    assert {row["work"].split(",")[0] for row in found["trials"]} >= {work.split(",")[0] for work in WORKS[:3]}
    assert sum(row["hit"] for row in found["trials"]) > len(WORKS)
    assert all(row["same"] == row["trials"] and not row["lost"] for row in found["trials"])
    assert len(found["flips"]) >= 5 and all(not row["wrong"] for row in found["flips"])
