"""scripts/*: run by any Python, from any folder, with the checkout's ``.venv``."""

import os
import shutil
import subprocess
import sys

import pytest
from bitext import REPO
from running import run


@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    """An interpreter without packages, as the system's."""
    folder = tmp_path_factory.mktemp("bare")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / "venv"], check=True)
    return folder / "venv"


@pytest.fixture
def checkout(tmp_path):
    """scripts/ and the packages in a folder that has no .venv yet."""
    shutil.copytree(REPO / "scripts", tmp_path / "checkout" / "scripts", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("vqnat", "vqnat_serving"):
        (tmp_path / "checkout" / name).symlink_to(REPO / name)
    return tmp_path / "checkout"


def distill(python, checkout, *words):
    environment = {"PYTHONPATH": ""}  # the script finds its packages itself
    return run(python, checkout / "scripts" / "distill.py", *words, env=environment, cwd=checkout.parent)


def test_without_packages_and_without_a_venv_it_says_what_to_do(bare, checkout):
    done = distill(bare / "bin" / "python", checkout, "--help")
    assert done.returncode == 2 and done.stdout == ""
    expected = f"distill: torch, fairseq, sentencepiece not installed; run {checkout}/scripts/setup.sh first\n"
    assert done.stderr == expected


def test_a_broken_venv_is_tried_once(bare, checkout):
    (checkout / ".venv").symlink_to(bare)
    done = distill(bare / "bin" / "python", checkout, "--help")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1 and "scripts/setup.sh first" in done.stderr


def test_it_goes_on_in_the_venv_of_the_checkout(bare, checkout):
    python = checkout / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    # As a venv's interpreter has it: a program that finds this environment's packages.
    python.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    done = distill(bare / "bin" / "python", checkout, "data", "--path", "a b.pt", "--out", "out", "--beam", "0")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "vqnat distill: --beam 0: must be at least 1\n"
    helped = distill(bare / "bin" / "python", checkout, "--help")
    assert helped.returncode == 0 and helped.stdout.startswith("usage: vqnat distill ")


def test_every_program_may_be_run():
    for folder in ("scripts", "data-prep"):
        for path in (REPO / folder).iterdir():
            if path.is_file() and path.read_bytes().startswith(b"#!"):
                assert os.access(path, os.X_OK), f"{path} has no run bit"
