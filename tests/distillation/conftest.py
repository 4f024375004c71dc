"""A tiny bitext of digits and words, and tiny teachers trained on it through fairseq's own commands."""

import os
import random
import shutil
import subprocess
import sys
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

import vqnat  # noqa: F401 - torch.load accepts fairseq's checkpoints

ROOT = Path(__file__).resolve().parents[2]
DISTILL = [sys.executable, str(ROOT / "scripts" / "distill.py")]
ENVIRONMENT = os.environ | {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": "", "PYTHONPATH": str(ROOT)}
WORDS = ["null", "eins", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun"]


def run(command: list, **kwargs) -> subprocess.CompletedProcess:
    """Run a command, its output captured as text."""
    return subprocess.run(
        [str(word) for word in command],
        capture_output=True,
        text=True,
        env=ENVIRONMENT,
        cwd=ROOT,
        timeout=300,
        **kwargs,
    )


def succeed(command: list, **kwargs) -> subprocess.CompletedProcess:
    """Run a command that must end with status 0."""
    done = run(command, **kwargs)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done


def train(data: Path, save: Path, updates: int, *extra: object) -> Path:
    """Train a transformer of 2 x 1 layers for some updates; returns the checkpoint."""
    small = "--encoder-layers 1 --decoder-layers 1 --encoder-ffn-embed-dim 64 --decoder-ffn-embed-dim 64"
    heads = "--encoder-attention-heads 2 --decoder-attention-heads 2"
    small += " --encoder-embed-dim 32 --decoder-embed-dim 32"
    fast = "--optimizer adam --lr 0.01 --max-tokens 800 --dropout 0.1 --num-workers 0 --log-format none"
    words = f"--task translation --arch transformer {small} {heads} {fast}".split()
    succeed(
        [
            *(sys.executable, "-m", "fairseq_cli.train", data, "--cpu", *words),
            *("--save-dir", save, "--max-update", updates, "--disable-validation", "--no-epoch-checkpoints"),
            *extra,
        ]
    )
    return save / "checkpoint_last.pt"


def write_bitext(folder: Path, pairs: int) -> None:
    """Digits on the source side, German number words on the target side."""
    chance = random.Random(5)
    folder.mkdir(parents=True)
    for split, count in (("train", pairs), ("valid", 10), ("test", 12)):
        numbers = [[chance.randrange(10) for _ in range(chance.randint(1, 7))] for _ in range(count)]
        for language, symbols in (("en", "0123456789"), ("de", WORDS)):
            start = ["zahl"] if language == "de" else []
            lines = [" ".join(start + [symbols[digit] for digit in number]) + "\n" for number in numbers]
            (folder / f"{split}.{language}").write_text("".join(lines), encoding="utf-8")


def binarise(raw: Path, out: Path, *extra: object) -> Path:
    """fairseq-preprocess."""
    prefixes = [word for split in ("train", "valid", "test") for word in (f"--{split}pref", raw / split)]
    command = [sys.executable, "-m", "fairseq_cli.preprocess", "--source-lang", "en", "--target-lang", "de"]
    succeed([*command, *prefixes, "--destdir", out, *extra])
    return out


@pytest.fixture(scope="session")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What all tests share and none may change: bin (data), teacher.pt, other.pt, short.pt."""
    root = tmp_path_factory.mktemp("distillation")
    write_bitext(root / "raw", 200)
    data = binarise(root / "raw", root / "bin")
    shutil.copy(train(data, root / "run", 60), root / "teacher.pt")
    # fewer updates: its output is often cut off at the maximum length
    shutil.copy(train(data, root / "run2", 8, "--seed", 7), root / "other.pt")
    write_short_teacher(root)
    return root


def write_short_teacher(root: Path) -> None:
    """short.pt: teacher.pt, but for sources of 6 tokens or fewer (its positions have no weights)."""
    state = torch.load(root / "teacher.pt")
    for part in ("task", "model"):
        settings = state["cfg"][part]
        settings = vars(settings) if isinstance(settings, Namespace) else settings
        settings["max_source_positions"] = 6
    torch.save(state, root / "short.pt")


@pytest.fixture(scope="session")
def distill(root: Path) -> Callable[..., subprocess.CompletedProcess]:
    """``distill(out, "--beam", 2)`` runs the command line on the shared data with small batches."""

    def call(out: Path, *extra: object, teacher: str = "teacher.pt", **kwargs) -> subprocess.CompletedProcess:
        return run(command(root, out, *extra, teacher=teacher), **kwargs)

    return call


def command(root: Path, out: Path, *extra: object, teacher: str = "teacher.pt") -> list:
    """The command line on the shared data; batches of 10 sentences or fewer, so that there are many."""
    return [
        *DISTILL,
        root / "bin",
        "--path",
        root / teacher,
        "--out",
        out,
        "--max-tokens",
        40,
        "--cpu",
        *extra,
    ]


@pytest.fixture(scope="session")
def reference(root: Path, distill: Callable[..., subprocess.CompletedProcess]) -> Path:
    """The result of one undisturbed process."""
    out = root / "reference"
    done = distill(out)
    assert done.returncode == 0, done.stderr
    return out


def files(folder: Path) -> dict[str, bytes]:
    """Name and content of every file in a result but the manifest."""
    return {p.name: p.read_bytes() for p in sorted(folder.iterdir()) if p.name != "distillation.json"}
