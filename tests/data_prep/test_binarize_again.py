"""data-prep/binarize.py repeats what is missing or damaged, and only that it calls up to date is up to date."""

import hashlib
import json
import shutil

import bitext
import pytest

from vqnat.data import binarize as module
from vqnat.data.binarize import binarize
from vqnat.records.checksums import SUMS, read_sums

pytestmark = pytest.mark.slow


def contents(folder):
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in ("preprocess.log", "data.json")
    }


def test_a_vocabulary_is_learned_from_so_many_sentences_at_most(tmp_path, monkeypatch):
    """And from all parts of the text: here the first half has no word of the second."""
    for language in ("en", "de"):
        for split in ("train", "valid", "test"):
            (tmp_path / f"{split}.{language}").write_text("aa ab ba\n" * 50 + "cc cd dc\n" * 50)
    seen = []
    train = module.spm.SentencePieceTrainer.train

    def counted(sentence_iterator, **options):
        seen.append(list(sentence_iterator))
        train(sentence_iterator=iter(seen[-1]), **options)

    monkeypatch.setattr(module.spm.SentencePieceTrainer, "train", counted)
    for most in (200, 199, 30):
        monkeypatch.setattr(module, "LEARNED_FROM", most)
        module.train_vocabulary(tmp_path, ("en", "de"), tmp_path / "spm", 20, set(), 100)
    assert [len(found) for found in seen] == [200, 100, 30]
    for found in seen:
        assert found.count("aa ab ba") == pytest.approx(len(found) / 2, abs=1)


def test_again(tmp_path, capsys):
    raw, out = tmp_path / "raw", tmp_path / "out"
    bitext.write(raw, {"train": 60, "valid": 5, "test": 5})

    def make():
        binarize(raw, out, ("en", "de"), 60, 1)
        return capsys.readouterr().out

    make()
    found = contents(out)
    sums = read_sums(out / "bin")
    assert len(sums) == 14 and sums["dict.en.txt"] == found["bin/dict.en.txt"]
    assert make() == f"binarize: {out} is up to date\n"

    damaged = out / "bin" / "train.en-de.en.bin"
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"\1")
    assert f"binarize: {damaged}: damaged" in make() and contents(out) == found
    (out / "spm.model").unlink()
    assert f"binarize: {out / 'spm.model'}: missing or damaged" in make() and contents(out) == found
    (out / "bin" / SUMS).unlink()
    assert "no such file; making everything again" in make() and contents(out) == found
    manifest = json.loads((out / "data.json").read_text())
    (out / "data.json").write_text(json.dumps(manifest | {"vocabulary": 61}))
    assert "up to date" not in make() and contents(out) == found


def test_nothing_passes_for_finished_that_is_not(tmp_path, monkeypatch, capsys):
    """Killed while it makes another vocabulary; then asked for the first one again."""
    raw, out = tmp_path / "raw", tmp_path / "out"
    bitext.write(raw, {"train": 60, "valid": 5, "test": 5})
    binarize(raw, out, ("en", "de"), 60, 1)
    found = contents(out)

    def killed(*words):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(module, "write_dictionary", killed)
        binarize(raw, out, ("en", "de"), 50, 1)
    shutil.copyfile(raw / "valid.en", out / "spm.model")
    capsys.readouterr()
    binarize(raw, out, ("en", "de"), 60, 1)
    assert "up to date" not in capsys.readouterr().out
    assert contents(out) == found
