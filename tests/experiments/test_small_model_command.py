"""scripts/make_small_model.sh's program on a run with an untrained model: what it writes, and what it refuses."""

import json
import sys

import bitext
import folders
import pytest

from vqnat.benchmarking.engines.untrained import save_untrained
from vqnat.commands import make_small_model
from vqnat_serving import ModelFolder, OnnxTranslator

MODEL = "--task latent_translation --arch latent_transformer_tiny --encoder-layers 1 --decoder-layers 1 --embed-dim 32 "
MODEL += "--ffn-embed-dim 32 --attention-heads 2 --share-all-embeddings --codebook-start random --codebook-size 16"


@pytest.mark.slow
def test_a_run_becomes_the_small_model(tmp_path, capsys):
    run, out = tmp_path / "run", tmp_path / "small"
    sizes = ("--train", 100, "--valid", 5, "--test", 5)
    bitext.run(sys.executable, "-m", "vqnat.embedded", "--out", run / "raw", *sizes)
    prep = ("--raw", run / "raw", "--out", run / "prep", "--vocabulary", 300, "--workers", 1)
    bitext.run("data-prep/binarize.py", *prep)
    save_untrained(MODEL.split(), run / "prep" / "bin", run / "averaged" / "lt.pt")
    training = {"name": "lt", "arch": "latent_transformer_tiny"}
    good = {"name": "lt_second", "training": training}
    bad = {"name": "bad", "training": {**training, "name": "none"}}
    teacher = {"name": "teacher", "training": {"name": "teacher", "arch": "transformer"}}
    results = {"corpus": "embedded", "direction": "en-de", "systems": [teacher, bad, good]}
    (run / "results.json").write_text(json.dumps(results))

    folders.done(make_small_model, "--run", run, "--out", out)
    folder = ModelFolder.read(out)
    folder.check()
    assert folder.name == "vqnat-small-en-de" and folder.made["checkpoint"] == "lt.pt"
    there = {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()}
    assert there == {*folder.files, "config.json", "README.md"}
    assert {"onnx/int8/decoder.onnx", "code_words.json", "scores.json", "spm.model"} <= folder.files.keys()
    assert "model.safetensors" not in there
    [row] = folder.scores()["rows"]
    assert row["right_translation_rate"] == 0 and folder.scores()["sentences"] == 5
    assert "embedded corpus" in (out / "README.md").read_text()  # the scores of what ships
    assert len(OnnxTranslator(out).translate(["The old woman wanted to buy three books."])) == 1

    line = folders.refused(capsys, make_small_model, "--run", run, "--system", "teacher", "--out", out)
    assert "--system teacher: no such latent transformer (systems there: teacher, bad, lt_second)" in line
    assert "not a finished run" in folders.refused(capsys, make_small_model, "--run", tmp_path)
