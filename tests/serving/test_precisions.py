"""scripts/compare_precisions.py: every engine and precision on one text."""

import json

import bitext
import pytest
from sacrebleu.metrics import BLEU

pytestmark = pytest.mark.slow


def test_every_engine_and_precision(trained, tmp_path):
    sentences = trained.sentences[:30]
    references = [" ".join(reversed(sentence.split())) or "nichts" for sentence in sentences]
    source, reference = tmp_path / "source", tmp_path / "reference"
    source.write_text("".join(f"{line}\n" for line in sentences))
    reference.write_text("".join(f"{line}\n" for line in references))
    script = ("scripts/compare_precisions.py", "--path", trained.checkpoint, "--data", trained.data)
    files = ("--source", source, "--reference", reference)
    bitext.run(*script, *files, "--json", tmp_path / "out.json")
    systems = {s["name"]: s for s in json.loads((tmp_path / "out.json").read_text())["systems"]}
    assert systems["torch_fp32"]["identical"] == systems["onnx_fp32"]["identical"] == 1
    expected = BLEU().corpus_score(trained.torch().translate(sentences), [references]).score
    assert systems["onnx_fp32"]["sacrebleu"] == pytest.approx(expected)
    found = trained.onnx(precision="int8").translate(sentences)
    assert systems["onnx_int8"]["sacrebleu"] == pytest.approx(BLEU().corpus_score(found, [references]).score)

    reference.write_text("eins\n")
    failed = bitext.run(*script, *files, check=False)
    assert failed.returncode == 2
    assert failed.stderr.splitlines()[-1].endswith(f"{source} has 30 lines, {reference} 1: must be equal")
