"""The scripts that fetch and check text, as far as they go without the text itself."""

import gzip
import subprocess
import sys
from pathlib import Path

import bitext
import pytest

PREPARE = bitext.REPO / "data-prep"


def refused(*words: object) -> str:
    """The only line that a script says."""
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True)
    assert done.returncode == 2 and done.stdout == "" and done.stderr.count("\n") == 1, done
    return done.stderr


def test_new_lines(tmp_path: Path) -> None:
    (tmp_path / "train.en").write_text("A dog.\nA  cat .\n", encoding="utf-8")
    (tmp_path / "test.en").write_text("A Straße\n", encoding="utf-8")
    text = "a DOG.\nTwo dogs\n\n a cat .\ntwo  dogs\nA STRASSE\nline\u2028separator\nTWO DOGS!"
    words = [sys.executable, PREPARE / "new_lines.py", tmp_path / "train.en", tmp_path / "test.en"]
    done = subprocess.run(words, input=text.encode(), capture_output=True, check=True)
    assert done.stdout.decode() == "Two dogs\nline\u2028separator\nTWO DOGS!\n"
    assert done.stderr.decode() == "new_lines: 8 lines, 6 distinct, 2 in train.en, 1 in test.en, 3 new\n"


@pytest.mark.parametrize(
    ("script", "first"), [("prepare-multi30k.sh", "train.en"), ("prepare-iwslt14-de2en.sh", "train.partial.de")]
)
def test_bad_copies(script: str, first: str, tmp_path: Path) -> None:
    words = (PREPARE / script, "--from", tmp_path, "--raw-only", tmp_path / "raw")
    name = script.removesuffix(".sh")
    assert refused(*words) == f"{name}: --from {tmp_path}: no file {first}.gz\n"
    copy = tmp_path / f"{first}.gz"
    copy.write_bytes(gzip.compress(b"another text\n"))
    assert f"{name}: {first} has checksum " in refused(*words)
    copy.write_bytes(copy.read_bytes()[:-12])
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 2 and f"{name}: {copy} is damaged" in done.stderr
    assert not list((tmp_path / "raw").glob("[!.]*.en"))
    assert f"{name}: unknown option --fro; valid: --from, " in refused(PREPARE / script, "--fro", tmp_path)
    assert f"{name}: --out needs a value" in refused(PREPARE / script, "--out")


def test_iwslt14_needs_a_folder_and_a_direction(tmp_path: Path) -> None:
    script = PREPARE / "prepare-iwslt14-de2en.sh"
    assert "give the folder with the text: --from DIR" in refused(script)
    error = refused(script, "--from", tmp_path, "--direction", "de-fr")
    assert "--direction de-fr: must be de-en or en-de" in error
