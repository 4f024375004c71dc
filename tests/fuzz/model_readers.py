"""Readers of model folders, exports and checkpoints."""

import io
import json
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from bitext import REPO
from hypothesis import strategies as st

from fuzz.reader import of_file, reader
from fuzz.values import TEXTS, as_json, changed

SMALL_MODEL = REPO / "vqnat_serving" / "small_model"


def config_value() -> dict:
    return json.loads((SMALL_MODEL / "config.json").read_text(encoding="utf-8"))


def export_value() -> dict:
    return json.loads((SMALL_MODEL / "onnx" / "export.json").read_text(encoding="utf-8")) | {"about": {}}


def _config(folder: Path) -> Callable[[bytes], None]:
    from vqnat.hub.model_card import model_card
    from vqnat_serving.model_folder import ModelFolder, is_model_folder

    def read(content: bytes) -> None:
        (folder / "config.json").write_bytes(content)
        is_model_folder(folder)
        found = ModelFolder.read(folder)
        assert not any((folder / name).resolve() != folder / name for name in found.files if ".." in name)
        found.code_words()
        model_card(found)

    return read


@reader("config.json, bytes", seeds=lambda: [as_json({**config_value(), "options": {}, "made": {}, "files": {}})])
def config_bytes(folder: Path) -> Callable:
    return _config(folder)


@reader("config.json", strategy=lambda: changed({**config_value(), "files": {}}))
def config(folder: Path) -> Callable:
    read = _config(folder)
    return lambda value: read(as_json(value))


def _export(folder: Path) -> Callable[[bytes], None]:
    from vqnat_serving.description import Description

    def read(content: bytes) -> None:
        (folder / "export.json").write_bytes(content)
        found = Description.read(folder)
        for name in (found.source_dictionary, found.target_dictionary, found.sentencepiece or "x"):
            assert (folder / name).parent == folder
        found.positions(10)

    return read


@reader("export.json, bytes", seeds=lambda: [as_json(export_value())])
def export_bytes(folder: Path) -> Callable:
    return _export(folder)


@reader("export.json", strategy=lambda: changed(export_value()))
def export(folder: Path) -> Callable:
    read = _export(folder)
    return lambda value: read(as_json(value))


@reader("code_words.json", strategy=lambda: changed({"format": "vqnat-code-words-1", "codes": {"3": [["a", 2]]}}))
def code_words(folder: Path) -> Callable:
    from vqnat_serving.checksums import sha256
    from vqnat_serving.model_folder import ModelFolder

    path = folder / "code_words.json"

    def read(value: Any) -> None:
        path.write_bytes(as_json(value))
        files = {"code_words.json": sha256(path)}
        ModelFolder(folder, "latent_transformer", "m", "en", "de", "a", {}, files=files).code_words()

    return read


def safetensors_seed() -> bytes:
    import torch
    from safetensors.torch import save

    return save({"a": torch.arange(6.0).view(2, 3), "b": torch.zeros(2)}, metadata={"format": "pt", "c": "a"})


@reader("model.safetensors", seeds=lambda: [safetensors_seed()])
def safetensors(folder: Path) -> Callable:
    from vqnat.checkpoints.folder_weights import read_weights

    return of_file(folder / "model.safetensors", read_weights)


def engine_weights_seed() -> bytes:
    """A model without latents, as small as one can be."""
    import tempfile

    from vqnat_serving.native.layout import ModelSizes, StackSizes, weight_shapes
    from vqnat_serving.native.weights import write_weights

    stack = StackSizes(layers=1, dim=2, ffn=2, heads=1, normalize_before=1)
    sizes = ModelSizes(stack, StackSizes(0, 0, 0, 0, 0), stack, 5, 0, 0, 2, 1, 1)
    weights = {
        name: np.zeros((rows or 4, columns), np.float32) for name, (rows, columns) in weight_shapes(sizes).items()
    }
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "weights.safetensors"
        write_weights(path, sizes, weights)
        return path.read_bytes()


@reader("weights.safetensors", seeds=lambda: [engine_weights_seed()], longest=8192)
def engine_weights(folder: Path) -> Callable:
    from vqnat_serving.native.weights import read_weights

    return of_file(folder / "weights.safetensors", read_weights)


def shortlist_seed() -> bytes:
    from safetensors.numpy import save

    tensors = {"starts": np.array([0, 1, 1, 3], np.int32), "words": np.array([2, 0, 3], np.int32)}
    return save(tensors, {"format": "vqnat-shortlist-1"})


@reader("shortlist.safetensors", seeds=lambda: [shortlist_seed()])
def shortlist(folder: Path) -> Callable:
    from vqnat_serving.shortlist import Shortlist

    def read(path: Path) -> None:
        found = Shortlist.read(path, 2, 4)
        assert [len(found.starts), max(found.words) < 4, min(found.words) >= 0] == [4, True, True]

    return of_file(folder / "shortlist.safetensors", read)


def checkpoint_seed() -> bytes:
    import argparse

    import torch

    found = io.BytesIO()
    state = {"model": {"w": torch.arange(3.0)}, "args": argparse.Namespace(a=1), "extra": [np.float64(2), {"x": 1}]}
    torch.save(state, found)
    return found.getvalue()


@reader("checkpoint", seeds=lambda: [checkpoint_seed()])
def checkpoint(folder: Path) -> Callable:
    from vqnat.checkpoints.reading import read_checkpoint

    return of_file(folder / "checkpoint.pt", read_checkpoint)


def pickles() -> list[bytes]:
    import pickle

    state = {"a": [1, 2.5, None, "x"], "b": (True, b"c")}
    return [pickle.dumps(state, protocol) for protocol in (0, 2, 4)]


@reader("checkpoint's pickle", seeds=pickles, longest=1024)
def checkpoint_pickle(folder: Path) -> Callable:
    """The pickle inside a checkpoint, where code would be."""
    read = checkpoint(folder)

    def wrapped(content: bytes) -> None:
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("archive/data.pkl", content)
            archive.writestr("archive/version", b"3\n")
            archive.writestr("archive/byteorder", b"little")
        read(file.getvalue())

    return wrapped


@reader("options that fairseq evaluates", strategy=lambda: TEXTS | st.sampled_from(["[(512, 3)] * 20", "1 + 2"]))
def literals(folder: Path) -> Callable:
    from vqnat.checkpoints.literal_options import literal

    return literal


@cache
def tiny_onnx() -> bytes:
    import onnx

    model = onnx.parser.parse_model(
        '<ir_version: 9, opset_import: ["" : 20]> g (float[2] x) => (float[2] y) '
        "<float[2] w = {1, 2}> { y = Add(x, w) }"
    )
    return model.SerializeToString()


@reader("ONNX file", seeds=lambda: [tiny_onnx()])
def onnx_file(folder: Path) -> Callable:
    import onnxruntime

    from vqnat_serving.errors import UserError
    from vqnat_serving.models import Models

    path = folder / "graph.onnx"
    models = Models.__new__(Models)
    models._onnxruntime, models._options = onnxruntime, onnxruntime.SessionOptions()
    models._options.log_severity_level = 4
    models._files = {"decoder": path}

    def read(content: bytes) -> None:
        path.write_bytes(content)
        models._sessions = {}
        try:
            models._load("decoder")
        except UserError as error:
            assert str(path) in str(error)
            raise

    return read
