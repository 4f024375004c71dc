"""The command lines: mistakes are one line and exit status 2."""

import subprocess
from pathlib import Path

import pytest

from vqnat.commands import run_workflow
from vqnat.commands.run_workflow import main

REPOSITORY = Path(__file__).parents[2]
IMAGES = str(REPOSITORY / "examples" / "cifar10" / "config.yaml")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--config", "gone.yaml"], "gone.yaml: cannot be read"),
        (["--from", "."], "makes its own text"),
        (["--from", "gone"], "--from gone: no such folder"),
        (["--seed", "-1"], "--seed: -1 is not valid; must be at least 0"),
        (["--seeds", "1,x"], "--seeds 1,x: must be whole numbers"),
        (["--seeds", "1,1"], "--seeds: [1, 1] is not valid; must be a list without repetitions"),
        (["--only", "nat"], "--only: nat: no such system; must be one of teacher_beam4"),
        (["--cores", "0"], "--cores 0: must be 1 to "),
        (["--cores", "99999"], "--cores 99999: must be 1 to "),
        (["--profile", "cloud"], "--profile cloud: must be one of kubernetes, local, slurm, or a folder of your own"),
        (["--budget", "3"], "--budget: "),
        (["--config", IMAGES, "--full"], "--full: "),
        (["--config", IMAGES, "--rows", "nothing"], "--rows: nothing: no such row; must be one of hard_em"),
        (["--config", IMAGES, "--budget", "0"], "--budget: 0.0 is not valid; must be more than 0"),
    ],
)
def test_mistakes(content, write, tmp_path, capsys, words, message):
    arguments = ["--config", str(write(content)), "--run", str(tmp_path / "run"), *words]
    assert main(arguments) == 2
    said = capsys.readouterr().err
    assert said.startswith("run_workflow: ") and message in said and said.count("\n") == 1


def test_one_workflow_a_folder(content, write, tmp_path, capsys):
    with run_workflow.only_one(tmp_path):
        assert main(["--config", str(write(content)), "--run", str(tmp_path)]) == 2
    assert "another workflow is running there" in capsys.readouterr().err


def test_the_folder_of_an_older_version(content, write, tmp_path, capsys):
    (tmp_path / "stages").mkdir()
    assert main(["--config", str(write(content)), "--run", str(tmp_path)]) == 2
    assert (
        "begun by an older version of vqnat, which cannot be continued; give another folder" in capsys.readouterr().err
    )


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
