"""Checkpoints as model folders, by the real command lines."""

from pathlib import Path

import pytest
from shared import made_once

from vqnat.commands import export, package

ABOUT = ("--license", "mit", "--dataset", "digits", "--data-note", "Names of digits.", "--example", "one two three")
SCORES = '{"sacrebleu": 98.76, "chrf": 99.5, "data": "digits, test set", "sentences": 60}'


def packaged(factory: pytest.TempPathFactory, name: str, checkpoint: Path, data: Path, *more: object) -> Path:
    """The model folder ``digits-NAME`` of a checkpoint."""

    def make(folder: Path) -> None:
        (folder / "scores.json").write_text(SCORES)
        out = ("--out", folder / f"digits-{name}", "--data", data, "--scores", folder / "scores.json")
        done(package, checkpoint, *out, *ABOUT, *more)

    return made_once(factory, f"packaged-{name}", make) / f"digits-{name}"


def exported(factory: pytest.TempPathFactory, checkpoint: Path, data: Path) -> Path:
    """A latent transformer's model folder with ``onnx/`` and ``code_words.json``."""

    def make(folder: Path) -> None:
        out = folder / "digits-onnx"
        done(package, checkpoint, "--data", data, "--out", out, *ABOUT)
        done(export, out, "--code-words", data.parent / "raw" / "valid.en")

    return made_once(factory, "packaged-onnx", make) / "digits-onnx"


def done(command, *words: object) -> None:
    """Run a command in this process."""
    assert command.main([str(word) for word in words]) == 0


def refused(capsys, command, *words: object) -> str:
    """The one line with which a command refuses."""
    capsys.readouterr()
    assert command.main([str(word) for word in words]) == 2
    [line] = capsys.readouterr().err.strip().splitlines()
    return line
