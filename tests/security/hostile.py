"""Files as an attacker would make them."""

import argparse
import io
import json
import os
import pickle
import shutil
import zipfile
from pathlib import Path

import bitext
import torch

from vqnat_serving.checksums import sha256

SMALL_MODEL = bitext.REPO / "vqnat_serving" / "small_model"


class Code:
    """Unpickled, it makes a folder."""

    def __init__(self, marker: Path):
        self.marker = marker

    def __reduce__(self):
        return os.mkdir, (str(self.marker),)


def checkpoints(folder: Path, marker: Path, data: Path) -> dict[str, Path]:
    """Checkpoints that would make ``marker``: a pickle, torch's formats, and code in an option that is evaluated."""
    folder.mkdir(exist_ok=True)
    state = {"model": {}, "cfg": None, "args": argparse.Namespace(boom=Code(marker))}
    (folder / "pickle.pt").write_bytes(pickle.dumps(state))
    torch.save(state, folder / "zip.pt")
    torch.save(state, folder / "legacy.pt", _use_new_zipfile_serialization=False)
    code = f"__import__('pathlib').Path({str(marker)!r}).touch() or [(8, 3)]"
    options = {"arch": "fconv", "task": "translation", "data": str(data), "source_lang": "en", "target_lang": "de"}
    options |= {"encoder_layers": code, "decoder_layers": code, "decoder_attention": code, "criterion": "cross_entropy"}
    history = [{"criterion_name": "", "optimizer_name": "", "lr_scheduler_state": {}, "num_updates": 0}]
    more = {"optimizer_history": history, "extra_state": {}, "last_optimizer_state": None}
    torch.save({"model": {}, "cfg": None, "args": argparse.Namespace(**options), **more}, folder / "option.pt")
    return {path.stem: path for path in folder.glob("*.pt")}


def model_folder(folder: Path, changes: dict[str, bytes]) -> Path:
    """The small model with other files, whose checksums are right."""
    shutil.copytree(SMALL_MODEL, folder)
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    for name, content in changes.items():
        (folder / name).write_bytes(content)
        config["files"][name] = sha256(folder / name)
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    return folder


def graph_elsewhere(location: str) -> bytes:
    """An ONNX file whose tensor lies in another one."""
    import onnx

    tensor = onnx.TensorProto(name="w", data_type=1, dims=[4], data_location=onnx.TensorProto.EXTERNAL)
    tensor.external_data.add(key="location", value=location)
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node("Identity", ["w"], ["y"])],
        "g",
        [],
        [onnx.helper.make_tensor_value_info("y", 1, [4])],
        [tensor],
    )
    return onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 20)]).SerializeToString()


def picture(width: int = 4, height: int = 4) -> bytes:
    """A PNG; a large one is small as a file."""
    from PIL import Image

    found = io.BytesIO()
    Image.new("L", (width, height), width * 7 % 256).save(found, "PNG")
    return found.getvalue()


def archive(path: Path, members: dict[str, bytes]) -> Path:
    """A .zip with these names, whatever they are."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members.items():
            file.writestr(name, content)
    return path
