"""Model folders in the runner: exported into, copied for serving, damaged; and what their codes write."""

import json
import shutil
from collections import Counter

import folders
import pytest
from exporting import same

from vqnat.commands import export
from vqnat.errors import UserError
from vqnat.export.code_words import texts_of_codes
from vqnat.hub import LatentTranslator
from vqnat_serving import ModelFolder, OnnxTranslator


@pytest.fixture(scope="session")
def folder(latent_checkpoint, digits, tmp_path_factory):
    return folders.exported(tmp_path_factory, latent_checkpoint, digits)


def copy_graphs(monkeypatch, exported):
    """Exporting takes long: let it copy the graphs of the same model."""

    def write_models(model, forbidden, out, precisions):
        for precision in precisions:
            shutil.copytree(exported / precision, out / precision)

    monkeypatch.setattr("vqnat.export.folder.write_models", write_models)


def test_an_exported_folder_is_read_as_an_export_is(folder, trained):
    expected = trained.runner.hypotheses(trained.sentences[:20], beam=3)
    for path in (folder, folder / "onnx", str(folder)):
        same(OnnxTranslator(path).hypotheses(trained.sentences[:20], beam=3), expected)
    assert not (folder / "onnx" / "dict.en.txt").exists()  # those of the folder are used
    translator = OnnxTranslator(folder, precision="int8")
    assert translator.model_folder.name == "digits-onnx"
    assert translator.translate(["one two"]) == ["eins zwei"]


def test_a_copy_for_serving_has_no_weights(folder, digits, tmp_path, capsys, monkeypatch):
    copy_graphs(monkeypatch, folder / "onnx")
    before = {path: path.read_bytes() for path in folder.rglob("*.json")}
    out = tmp_path / "served"
    folders.done(export, folder, "--out", out, "--precision", "int8", "--code-words", digits.parent / "raw" / "test.en")
    assert before == {path: path.read_bytes() for path in folder.rglob("*.json")}
    served = ModelFolder.read(out)
    served.check()
    assert not (out / "model.safetensors").exists() and "LatentTranslator" not in (out / "README.md").read_text()
    translator = OnnxTranslator(out)  # int8, as there is nothing else
    assert translator.precision == "int8" and translator.translate(["one two"]) == ["eins zwei"]
    assert sum(n for rows in served.code_words().values() for _, n in rows) > 100
    with pytest.raises(UserError, match=r"served: has no model.safetensors: only the ONNX runner can use it"):
        LatentTranslator.from_pretrained(out)
    assert "the model folder itself" in folders.refused(capsys, export, folder, "--out", folder)


def test_code_words_are_what_the_codes_wrote(folder, digits):
    translator, counts = OnnxTranslator(folder), {}
    lines = (digits.parent / "raw" / "valid.en").read_text().splitlines()
    for line in lines:
        [[decoded]] = translator.decode([translator.encode(line)], 1)
        texts = list(texts_of_codes(translator, decoded))
        # Here a piece is a word, so each word was written by one code, in order.
        assert " ".join(text for _, text in texts) == translator.hypothesis(decoded).text
        for code, text in texts:
            counts.setdefault(code, Counter())[text] += 1
    found = ModelFolder.read(folder).code_words()
    assert found.keys() == counts.keys()
    for code, rows in found.items():
        assert [n for _, n in rows] == sorted(counts[code].values(), reverse=True)[:10]
        assert all(counts[code][text] == n for text, n in rows)
    content = json.loads((folder / "code_words.json").read_text())
    assert content["format"] == "vqnat-code-words-1" and content["sentences"] == len(lines)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("onnx/export.json", b"{}", r"onnx/export.json: its SHA-256 is .*, not .* as config.json says"),
        ("onnx/fp32/decoder.onnx", b"no graph", r"decoder.onnx: its SHA-256 is"),
        (
            "onnx/fp32/beam.onnx",
            None,
            r"beam.onnx: cannot be read \(No such file or directory\), but config.json lists",
        ),
        ("onnx/fp32/weights.safetensors", b"no weights", r"weights.safetensors: its SHA-256 is"),
        ("dict.de.txt", b"eins 1\n", r"dict.de.txt: its SHA-256 is"),
        ("code_words.json", b"{}", r"code_words.json: its SHA-256 is"),
        ("config.json", b"[]", r"not an exported model: it has no export.json"),
    ],
)
def test_damaged_folders_are_named(folder, tmp_path, name, content, message):
    damaged = shutil.copytree(folder, tmp_path / "damaged")
    if content is None:
        (damaged / name).unlink()
    else:
        (damaged / name).write_bytes(content)
    with pytest.raises(UserError, match=message) as caught:
        OnnxTranslator(damaged, engine="onnx" if name.endswith(".onnx") else None).model_folder.code_words()
    assert "\n" not in str(caught.value)


def test_models_without_codes_have_no_code_words(parallel_ctc, digits, tmp_path, capsys, monkeypatch):
    copy_graphs(monkeypatch, parallel_ctc.folder)
    from vqnat.commands import package

    folder = tmp_path / "parallel"
    folders.done(package, parallel_ctc.checkpoint, "--data", digits, "--out", folder)
    assert ModelFolder.read(folder).kind == "parallel_transformer"
    text = digits.parent / "raw" / "test.en"
    assert "this model has no codes" in folders.refused(capsys, export, folder, "--code-words", text)
    same(OnnxTranslator(folder).hypotheses(["one two"]), parallel_ctc.runner.hypotheses(["one two"]))
