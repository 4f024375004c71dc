"""The benchmark of new processes, on a trained model in every engine."""

import json
import sys

import bitext
import pytest
import sentencepiece

pytestmark = pytest.mark.slow
pytest.importorskip("ctranslate2")
VQNAT = (sys.executable, "-m", "vqnat")


@pytest.fixture(scope="module")
def folders(digits, teacher_checkpoint, latent_checkpoint, tmp_path_factory):
    """An export, and a teacher's folder for CTranslate2 with a sentencepiece model."""
    folder = tmp_path_factory.mktemp("starting")
    bitext.run("scripts/export.py", "--path", latent_checkpoint, "--data", digits, "--out", folder / "export")
    bitext.run(*VQNAT, "package", teacher_checkpoint, "--data", digits, "--bpe", "none", "--out", folder / "teacher")
    bitext.run(*VQNAT, "export", folder / "teacher")
    text, prefix = digits.parent / "raw" / "train.en", folder / "teacher" / "pieces"
    sentencepiece.SentencePieceTrainer.train(input=str(text), model_prefix=str(prefix), vocab_size=20, minloglevel=2)
    return folder


def test_every_engine_starts_and_is_recorded(folders, tmp_path):
    words = ["--model", folders / "export", "--teacher", folders / "teacher", "--rounds", 2, "--sentence", "one two"]
    done = bitext.run("scripts/benchmark_start.py", *words, "--json", tmp_path / "start.json")
    found = json.loads((tmp_path / "start.json").read_text())
    systems = {system["name"]: system for system in found["systems"]}
    engines = ("ours_native", "ours_onnx", "ctranslate2_greedy")
    assert systems.keys() == {f"{engine}_{precision}" for engine in engines for precision in ("fp32", "int8")}
    assert all(len(system["all_ms"]) == 2 and system["peak_mib"] > 5 for system in systems.values())
    assert all(name in done.stdout for name in systems)
    assert any("model.bin" in name for name in found["data"])


def test_a_failing_program_is_one_line(folders, tmp_path):
    words = ["--model", tmp_path, "--teacher", folders / "teacher"]
    done = bitext.run("scripts/benchmark_start.py", *words, check=False)
    assert done.returncode == 2 and done.stderr.count("\n") == 1 and str(tmp_path) in done.stderr
    words = ["--model", folders / "export", "--teacher", tmp_path]
    done = bitext.run("scripts/benchmark_start.py", *words, check=False)
    assert done.returncode == 2
    assert f"--teacher {tmp_path}: needed a model folder with ctranslate2/" in done.stderr
