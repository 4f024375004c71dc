"""scripts/export.py: what it writes, and what it refuses."""

import hashlib
import json

import bitext
import pytest

from vqnat.errors import UserError
from vqnat.export import folder


def export(checkpoint, out, *more):
    done = bitext.run("scripts/export.py", "--path", checkpoint, "--out", out, *more, check=False)
    assert done.returncode == 2 and "Traceback" not in done.stderr, done.stderr[-2000:]
    [line] = done.stderr.strip().splitlines()
    return line


def test_the_description_says_where_the_model_comes_from(pieces):
    about = json.loads((pieces.folder / "export.json").read_text())["about"]
    assert about["checkpoint_sha256"] == hashlib.sha256(pieces.checkpoint.read_bytes()).hexdigest()
    assert about["options"]["compression_steps"] == 2
    assert {"onnx", "onnxruntime", "torch", "vqnat"} <= about["versions"].keys()
    files = {path.relative_to(pieces.folder).as_posix() for path in pieces.folder.rglob("*") if path.is_file()}
    graphs = {f"fp32/{part}.onnx" for part in ("encoder", "greedy", "beam", "decoder", "predictor")}
    assert files == graphs | {"export.json", "dict.en.txt", "dict.de.txt", "spm.model", "fp32/weights.safetensors"}
    for graph in graphs:  # no stack traces with somebody's folders
        assert str(bitext.REPO).encode() not in (pieces.folder / graph).read_bytes()


def test_what_cannot_be_exported_is_one_line(digits, teacher_checkpoint, latent_checkpoint, tmp_path):
    assert "only these can be exported" in export(teacher_checkpoint, tmp_path / "out", "--data", digits)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("years of work")
    line = export(latent_checkpoint, tmp_path / "mine", "--data", digits)
    assert line == f"vqnat export: {tmp_path / 'mine'}: exists and is no export; give a new folder"
    assert (tmp_path / "mine" / "thesis.tex").exists()
    assert "no such file" in export(tmp_path / "none.pt", tmp_path / "out", "--data", digits)
    assert not (tmp_path / "out").exists()


def test_an_earlier_export_is_replaced_whole(trained, tmp_path, monkeypatch):
    def write_models(model, never, out, precisions):
        for precision in precisions:
            (out / precision).mkdir()

    monkeypatch.setattr(folder, "write_models", write_models)
    out = tmp_path / "again"
    for precisions in (("fp32",), ("int8",)):
        folder.export(trained.torch(packed=False), trained.checkpoint, out, precisions)
        assert {path.name for path in out.iterdir() if path.is_dir()} == set(precisions)
    assert [path.name for path in tmp_path.iterdir()] == ["again"]


def test_a_difference_from_torch_is_found(trained, monkeypatch, tmp_path):
    monkeypatch.setattr(folder, "largest_difference", lambda *arguments: float("nan"))
    with pytest.raises(RuntimeError, match="the exported encoder differs from torch"):
        folder.export(trained.torch(packed=False), trained.checkpoint, tmp_path / "out")
    assert not list(tmp_path.iterdir())


def test_a_packed_model_is_refused(trained, tmp_path):
    with pytest.raises(UserError, match="export needs packed=False"):
        folder.export(trained.torch(dtype="int8_dynamic"), trained.checkpoint, tmp_path / "out")
