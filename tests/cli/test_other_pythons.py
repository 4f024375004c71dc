"""argparse words its messages differently from version to version; ours are the same. Needs no packages."""

import os
import shutil
import sys
from pathlib import Path

import pytest
from running import run

WORDS = (
    ["trnslate"],
    ["embedded"],
    ["embedded", "--out", "x", "--seed", "y"],
    ["embedded", "--out", "x", "--seed"],
    ["embedded", "--out", "x", "--check", "a", "b"],
    ["embedded", "--out", "x", "--sead", "1"],
    ["embedded", "--out", "x", "y"],
    ["completion", "fish"],
)


def find_python(version):
    """An interpreter of that version, on the path or among pyenv's; None if there is none."""
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    found = sorted(root.glob(f"versions/{version}.*/bin/python"))
    return str(found[-1]) if found else shutil.which(f"python{version}")


@pytest.mark.parametrize("version", ["3.12", "3.13", "3.14"])
def test_the_same_messages(version):
    python = find_python(version)
    if python is None:
        pytest.skip(f"there is no Python {version} here")
    code = f"from vqnat.cli import main; print([main(words) for words in {WORDS!r}])"
    ours, theirs = (run(one, "-c", code) for one in (sys.executable, python))
    assert ours.stdout == f"{[2] * len(WORDS)}\n"
    assert (theirs.stdout, theirs.stderr) == (ours.stdout, ours.stderr)
