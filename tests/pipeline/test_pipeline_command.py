"""The command lines: mistakes are one line and exit status 2."""

import subprocess
import sys
from pathlib import Path

import pytest

from vqnat.commands.run_pipeline import main
from vqnat.pipeline import console

REPOSITORY = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--config", "gone.yaml"], "gone.yaml: cannot be read"),
        (["--from", "."], "makes its own text (data.kind: embedded)"),
        (["--seed", "-1"], "--seed -1: must be at least 0"),
        (["--cores", "0"], "--cores 0: must be 1 to "),
        (["--cores", "99999"], "--cores 99999: must be 1 to "),
        (
            ["--again", "train"],
            "--again train: no such stage; must be one of corpus, binarize, train_teacher",
        ),
    ],
)
def test_mistakes(content, write, tmp_path, capsys, words, message):
    arguments = ["--config", str(write(content)), "--run", str(tmp_path / "run"), *words]
    assert main(arguments) == 2
    said = capsys.readouterr().err
    assert said.startswith("run_pipeline: ") and message in said and said.count("\n") == 1


def test_one_pipeline_a_folder(content, write, tmp_path, capsys):
    with console.only_one(tmp_path):
        assert main(["--config", str(write(content)), "--run", str(tmp_path)]) == 2
    assert "another pipeline is running there" in capsys.readouterr().err


def test_how_to_continue(monkeypatch):
    monkeypatch.delenv("VQNAT_COMMAND", raising=False)
    monkeypatch.setattr(sys, "orig_argv", ["python", "x.py", "--again", "a", "--run", "my run", "--again=b"])
    assert console.how_to_continue() == "python x.py --run 'my run'"
    monkeypatch.setenv("VQNAT_COMMAND", "scripts/quickstart.sh --full")
    assert console.how_to_continue() == "scripts/quickstart.sh --full"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--data", "wmt"], "--data wmt: must be one of embedded, multi30k"),
        (["--fast"], "--fast: unknown option; valid options: --full"),
        (["--run"], "--run: its value is missing"),
    ],
)
def test_quickstart_mistakes(words, message):
    done = subprocess.run(
        ["scripts/quickstart.sh", *words], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2 and done.stderr.startswith(f"quickstart: {message}")
