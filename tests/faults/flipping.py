"""One bit of a file is changed, or its end is cut off: the reader names the file, or reads the same as before."""

import json
import random
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from processes import Program
from works import digest, distillation

from vqnat.checkpoints.reading import read_checkpoint
from vqnat.data.binarize import read_manifest
from vqnat.distillation.journal import read_header, scan
from vqnat.errors import UserError
from vqnat.records.checksums import sha256, unsealed
from vqnat.tasks.latent_translation import LatentTranslationConfig, LatentTranslationTask
from vqnat_serving.description import NAME, Description
from vqnat_serving.export_place import ExportPlace
from vqnat_serving.model_folder import SMALL_MODEL, ModelFolder


@dataclass(frozen=True)
class Format:
    """A kind of file.

    Attributes:
        name: for tables.
        files: those that are damaged, in a folder.
        read: what the folder holds, as a comparable value. Raises UserError.
    """

    name: str
    files: Callable[[Path], list[Path]]
    read: Callable[[Path], Any]


def read_checkpoints(folder: Path) -> str:
    return digest(read_checkpoint(folder / "checkpoint_last.pt"))


def read_data(folder: Path) -> Any:
    """As fairseq-train and our other programs read a data folder."""
    config = LatentTranslationConfig(data=str(folder), source_lang="en", target_lang="de", dataset_impl="mmap")
    task = LatentTranslationTask.setup_task(config)
    task.load_dataset("train")
    pairs = task.dataset("train")
    texts = [tuple(side[i].tolist()) for side in (pairs.src, pairs.tgt) for i in range(len(pairs))]
    return texts, task.source_dictionary.symbols, task.source_dictionary.count


def read_shard(folder: Path) -> Any:
    """The records of a shard, each of which is whole or not there, and what its header says."""
    [path] = folder.glob("*.journal")
    header, first = read_header(path)
    if header is None:
        return {}
    records = {
        one.batch: [np.asarray(a).tolist() for a in (one.ids, one.tokens, one.scores)] for *_, one in scan(path, first)
    }
    return records | {"header": header}


def read_export(folder: Path) -> Any:
    """As the runner reads an export of its own."""
    place = ExportPlace.find(folder)
    description = place.description
    graphs = [
        place.graph(precision, part).read_bytes() for precision in description.precisions for part in description.parts
    ]
    return description, graphs, place.text(description.source_dictionary).read_bytes()


def read_model(folder: Path) -> Any:
    """As all programs read a model folder."""
    model = ModelFolder.read(folder)
    model.check()
    return {name: model.file(name).read_bytes() for name in model.files}, model.options, model.task


def formats() -> list[Format]:
    """Every kind of file with a reader of ours, and where :func:`make_folders` puts one."""
    return [
        Format("checkpoint", lambda f: [f / "checkpoint_last.pt"], read_checkpoints),
        Format("dictionary", lambda f: sorted(f.glob("dict.*.txt")), read_data),
        Format("binarized text (.bin)", lambda f: sorted(f.glob("train.*.bin")), read_data),
        Format("index of binarized text (.idx)", lambda f: sorted(f.glob("train.*.idx")), read_data),
        Format("SHA256SUMS", lambda f: [f / "SHA256SUMS"], read_data),
        Format("data.json", lambda f: [f / "data.json"], lambda f: read_manifest(f / "data.json")),
        Format("shard of a distillation", lambda f: sorted(f.glob("*.journal")), read_shard),
        Format("distillation.json", lambda f: [f / "distillation.json"], read_distillation),
        Format("ONNX graph", lambda f: sorted(f.rglob("*.onnx")), read_export),
        Format("export.json", lambda f: [f / "export.json"], read_export),
        Format("model.safetensors", lambda f: [f / "model.safetensors"], read_model),
        Format("config.json of a model folder", lambda f: [f / "config.json"], read_model),
    ]


def read_distillation(folder: Path) -> Any:
    """As a distillation that is run again reads its manifest."""

    try:
        return unsealed(json.loads((folder / "distillation.json").read_text(encoding="utf-8")))
    except (ValueError, AttributeError) as error:
        raise UserError(f"{folder / 'distillation.json'}: not the manifest of a distillation") from error


def folder_of(name: str, made: dict[str, Path]) -> Path:
    """Where the files of a format are, among the finished works by name."""
    places = {
        "checkpoint": "training",
        "shard of a distillation": "shard",
        "distillation.json": "distillation",
        "data.json": "data",
        "ONNX graph": "small export",
        "export.json": "small export",
        "model.safetensors": "packaging",
        "config.json of a model folder": "packaging",
    }
    return made[places.get(name, "bin")]


def unmerged(base: Path, folder: Path) -> Path:
    """The folder of a finished shard that was not merged."""
    [words] = distillation(["--num-shards", 2, "--shard", 0])(base, folder)
    program = Program(words, folder.with_suffix(".log"))
    assert program.wait() == 0, program.last_line()
    return folder / "out" / "shards"


def small_export(folder: Path) -> Path:
    """The small model's graphs as an export of its own."""
    shutil.copytree(SMALL_MODEL / "onnx", folder)
    described = Description.read(folder)
    for name in (described.source_dictionary, described.target_dictionary, described.sentencepiece):
        shutil.copyfile(SMALL_MODEL / name, folder / name)
    files = [path for path in sorted(folder.rglob("*.*")) if path.is_file() and path.name != NAME]
    replace(described, files={path.relative_to(folder).as_posix(): sha256(path) for path in files}).write(folder)
    return folder


@dataclass
class Flips:
    """Counts of trials by what the reader did: it named the file, or read the same, or neither."""

    named: int = 0
    same: int = 0
    wrong: list[str] | None = None


def flip(form: Format, folder: Path, work: Path, numbers: random.Random, trials: int) -> Flips:
    """Damage files in copies of a folder: one bit in 9 of 10 trials, the end cut off in the tenth."""
    expected = form.read(folder)
    found = Flips(wrong=[])
    shutil.rmtree(work, ignore_errors=True)
    shutil.copytree(folder, work)
    for number in range(trials):
        path = numbers.choice(form.files(work))
        content = path.read_bytes()
        path.write_bytes(damage(content, numbers, cut=number % 10 == 9))
        try:
            value = form.read(work)
        except UserError as error:
            text = str(error)
            if "\n" in text or not (path.name in text or path.parent.name in text):
                found.wrong.append(f"does not name {path.name} in one line: {text[:200]}")
            found.named += 1
        except Exception as error:
            found.wrong.append(f"{path.name}: {type(error).__name__}: {str(error)[:200]}")
        else:
            if value == expected or part_of(value, expected):
                found.same += 1
            else:
                found.wrong.append(f"{path.name}: reads something else")
        path.write_bytes(content)
    shutil.rmtree(work)
    return found


def part_of(value: Any, expected: Any) -> bool:
    """Whether nothing is there that was not there before: what is missing of a shard is decoded again."""
    if not isinstance(expected, dict) or not isinstance(value, dict):
        return False
    return all(name in expected and expected[name] == one for name, one in value.items())


def damage(content: bytes, numbers: random.Random, cut: bool) -> bytes:
    """One bit changed, or the end cut off."""
    if cut:
        return content[: numbers.randrange(len(content))]
    at = numbers.randrange(len(content))
    return content[:at] + bytes([content[at] ^ (1 << numbers.randrange(8))]) + content[at + 1 :]
