"""Manifests and exports of their own carry checksums: a flipped bit is named, or changes nothing."""

import json
import random
import shutil
from dataclasses import replace

import pytest

from vqnat.hub.folder_files import relisted
from vqnat_serving import OnnxTranslator
from vqnat_serving.checksums import SEAL, sealed, sha256, unsealed
from vqnat_serving.description import NAME, Description
from vqnat_serving.errors import UserError
from vqnat_serving.model_folder import CONFIG, SMALL_MODEL, ModelFolder


@pytest.fixture
def model(tmp_path):
    """The small model as this version writes model folders."""
    folder = shutil.copytree(SMALL_MODEL, tmp_path / "model")
    relisted(ModelFolder.read(folder))
    return folder


@pytest.fixture
def export(tmp_path):
    """The small model's graphs as an export of its own."""
    folder = shutil.copytree(SMALL_MODEL / "onnx", tmp_path / "export")
    for name in ("dict.en.txt", "dict.de.txt", "spm.model"):
        shutil.copyfile(SMALL_MODEL / name, folder / name)
    files = {p.relative_to(folder).as_posix(): sha256(p) for p in folder.rglob("*.*") if p.is_file() and p.name != NAME}
    replace(Description.read(folder), files=files).write(folder)
    return folder


def flipped(path, numbers):
    """Write the file with one bit changed; returns what it was."""
    content = path.read_bytes()
    at = numbers.randrange(len(content))
    path.write_bytes(content[:at] + bytes([content[at] ^ 1 << numbers.randrange(8)]) + content[at + 1 :])
    return content


def test_objects():
    values = {"b": [1.5, None], "a": {"ü": "x"}}
    assert unsealed(sealed(values)) == values == unsealed(values)
    assert unsealed(json.loads(json.dumps(sealed(values), indent=3))) == values
    with pytest.raises(ValueError, match="damaged"):
        unsealed(sealed(values) | {"b": [1.5, 0]})
    with pytest.raises(ValueError, match="damaged"):  # one bit of the name
        unsealed({name.replace(SEAL, "checksul"): value for name, value in sealed(values).items()})


@pytest.mark.parametrize("kind", ["model", "export"])
def test_a_flipped_bit_in_a_manifest(model, export, kind):
    folder, name, read = {
        "model": (model, CONFIG, ModelFolder.read),
        "export": (export, NAME, Description.read),
    }[kind]
    assert SEAL in json.loads((folder / name).read_text())
    expected, numbers, named = read(folder), random.Random(1), 0
    for _ in range(200):
        content = flipped(folder / name, numbers)
        try:
            assert read(folder) == expected
        except UserError as error:
            assert str(error).startswith(f"{folder / name}: ") and "\n" not in str(error)
            named += 1
        (folder / name).write_bytes(content)
    assert named > 150


@pytest.mark.parametrize("name", ["int8/decoder.onnx", "dict.de.txt", "spm.model"])
def test_a_flipped_bit_in_an_export(export, name):
    assert OnnxTranslator(export, precision="int8").translate(["The small dog sees a cat."])
    flipped(export / name, random.Random(1))
    message = f"^{export / name}: damaged: export.json has another checksum; export the checkpoint again$"
    with pytest.raises(UserError, match=message):
        engine = "onnx" if name.endswith(".onnx") else None
        OnnxTranslator(export, precision="int8", engine=engine).translate(["The small dog sees a cat."])


def test_what_earlier_versions_wrote_is_read(export):
    assert ModelFolder.read(SMALL_MODEL).kind == "latent_transformer"
    values = {
        name: value for name, value in json.loads((export / NAME).read_text()).items() if name not in ("files", SEAL)
    }
    (export / NAME).write_text(json.dumps(values | {"format": "vqnat-onnx-2"}))
    assert OnnxTranslator(export, precision="int8").translate(["The small dog sees a cat."])
