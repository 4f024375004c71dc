"""What is disturbed: programs with their inputs, and what matters of their results."""

import hashlib
import json
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bitext
import torch

Commands = list[list[object]]
UPDATES = 12
LATENT = ("soft_em", "hard_em", "gm_vq", "product")
ABOUT = ("--license", "mit", "--dataset", "digits", "--data-note", "Names of digits.", "--example", "one two three")


@dataclass(frozen=True, eq=False)
class Work:
    """Commands that are run one after another, and that may be run again.

    Attributes:
        name: of the work, for tables.
        commands: from the folder with the inputs and an empty folder of its own to command lines.
        result: what matters of the folder afterwards; equal results are equal values.
    """

    name: str
    commands: Callable[[Path, Path], Commands]
    result: Callable[[Path], Any]


def make_inputs(base: Path) -> Path:
    """``raw``, ``bin``, ``teacher.pt``, ``latent.pt``: what all works read."""
    done = base / "done"
    if not done.exists():
        shutil.rmtree(base, ignore_errors=True)
        bitext.write(base / "raw", {"train": 150, "valid": 10, "test": 10}, shortest=1, longest=7)
        bitext.run(sys.executable, "data-prep/binarize.py", *binarize_options(base, base / "data"))
        shutil.copytree(base / "data" / "bin", base / "bin")
        shutil.copy(bitext.train_teacher(base / "bin", base / "teacher", updates=30), base / "teacher.pt")
        bitext.run(*training("soft_em")(base, base / "latent")[0])
        shutil.copy(base / "latent" / "checkpoint_last.pt", base / "latent.pt")
        done.touch()
    return base


def binarize_options(base: Path, out: Path) -> list[object]:
    return ["--raw", base / "raw", "--out", out, "--vocabulary", 60, "--workers", 1]


def training(bottleneck: str, *more: object) -> Callable[[Path, Path], Commands]:
    """fairseq-train for a few updates, with a checkpoint of each third one."""

    def commands(base: Path, folder: Path) -> Commands:
        samples = ("--num-samples", 2) if bottleneck == "soft_em" else ()
        return [
            [
                *("fairseq-train", base / "bin", "--user-dir", "vqnat", "--task", "latent_translation", "--cpu"),
                *("--arch", "latent_transformer_tiny", *bitext.TINY, "--embed-dim", 32, "--share-all-embeddings"),
                *("--criterion", "latent_transformer_loss", "--optimizer", "adam", "--lr", 0.003),
                *("--max-tokens", 150, "--max-update", UPDATES, "--num-workers", 0, "--seed", 1),
                *("--bottleneck", bottleneck, "--codebook-size", 16, "--compression-steps", 1, *samples),
                *("--codebook-start-updates", 4, "--no-progress-bar", "--log-interval", 1, "--save-dir", folder),
                *("--save-interval-updates", 3, "--keep-interval-updates", 2, "--keep-last-epochs", 1, *more),
            ]
        ]

    return commands


def trained(folder: Path) -> dict[str, str]:
    """The checkpoints without times and speeds, which no two trainings share."""
    found = {}
    for path in sorted(folder.glob("[!.]*")):
        if path.suffix != ".pt":
            found[path.name] = hashlib.sha256(path.read_bytes()).hexdigest()
            continue
        state = torch.load(path, weights_only=True)
        for name in ("metrics", "previous_training_time"):
            del state["extra_state"][name]
        state["cfg"]["checkpoint"]["save_dir"] = state["cfg"]["task"]["data"] = None
        state["optimizer_history"] = state["optimizer_history"][-1:]  # it tells how often a training was continued
        found[path.name] = digest(state)
    return found


def digest(value: Any) -> str:
    """A checksum of tensors in containers."""
    found = hashlib.sha256()

    def add(one: Any) -> None:
        if isinstance(one, torch.Tensor):
            found.update(f"{one.dtype} {tuple(one.shape)}".encode() + one.contiguous().numpy().tobytes())
        elif isinstance(one, dict):
            for name in one:
                found.update(str(name).encode())
                add(one[name])
        elif isinstance(one, list | tuple):
            for each in one:
                add(each)
        else:
            found.update(repr(one).encode())

    add(value)
    return found.hexdigest()


def distillation(*ways: Sequence[object]) -> Callable[[Path, Path], Commands]:
    """``vqnat distill``, one command for each of the ways."""

    def commands(base: Path, folder: Path) -> Commands:
        words = ["vqnat", "distill", base / "bin", "--path", base / "teacher.pt", "--out", folder / "out", "--cpu"]
        return [[*words, "--max-tokens", 30, "--beam", 2, "--threads", 1, *way] for way in ways]

    return commands


def distilled(folder: Path) -> dict[str, Any]:
    """All files, and the manifest without times, command and the division of the work."""
    found: dict[str, Any] = hashes(folder / "out", but=("distillation.json",))
    manifest = json.loads((folder / "out" / "distillation.json").read_text())
    return found | {name: manifest[name] for name in ("settings", "counts", "outputs")}


def hashes(folder: Path, but: Sequence[str] = ()) -> dict[str, str]:
    """Path and checksum of every file in a folder that is not hidden."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not any(part.startswith(".") for part in path.relative_to(folder).parts)
        if path.name not in but
    }


def prepared(folder: Path) -> dict[str, str]:
    return hashes(folder, but=("preprocess.log", "data.json"))


def pieces(base: Path) -> tuple[object, ...]:
    return "--bpe-model", base / "data" / "spm.model"


def package(base: Path, folder: Path) -> Commands:
    out = folder / "model"
    return [["vqnat", "package", base / "latent.pt", "--out", out, "--data", base / "bin", *pieces(base), *ABOUT]]


def export(base: Path, folder: Path) -> Commands:
    out = (*pieces(base), "--data", base / "bin", "--out", folder / "onnx", "--precision", "fp32")
    return [["vqnat", "export", base / "latent.pt", *out]]


def all_works() -> list[Work]:
    """Every work, in the order of the table."""
    autocast = ("--autocast", "bf16")
    return [
        *(Work(f"training, {name}", training(name), trained) for name in LATENT),
        *(Work(f"training, {name}, autocast", training(name, *autocast), trained) for name in LATENT),
        Work("distillation", distillation([]), distilled),
        Work("distillation, --jobs 2", distillation(["--jobs", 2]), distilled),
        Work(
            "distillation, 2 shards",
            distillation(
                ["--num-shards", 2, "--shard", 0], ["--num-shards", 2, "--shard", 1], ["--num-shards", 2, "--merge"]
            ),
            distilled,
        ),
        Work(
            "data preparation",
            lambda base, folder: [["data-prep/binarize.py", *binarize_options(base, folder)]],
            prepared,
        ),
        Work("packaging", package, hashes),
        Work("export", export, hashes),
    ]
