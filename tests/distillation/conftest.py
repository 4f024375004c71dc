"""Data, teachers and a result that the tests share and none may change."""

import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

import bitext
import pytest
from distilling import Outcome, command, distill_here, write_short_teacher


@pytest.fixture(scope="session")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with bin (200 pairs), teacher.pt, other.pt (hardly trained), short.pt (short sources only)."""
    root = tmp_path_factory.mktemp("distillation")
    bitext.write(root / "raw", {"train": 200, "valid": 10, "test": 12}, shortest=1, longest=7)
    data = bitext.binarize(root / "raw", root / "bin")
    shutil.copy(bitext.train_teacher(data, root / "run", updates=60), root / "teacher.pt")
    shutil.copy(bitext.train_teacher(data, root / "run2", "--seed", 7, updates=8), root / "other.pt")
    write_short_teacher(root)
    return root


@pytest.fixture(scope="session")
def distill(root: Path) -> Callable[..., Outcome]:
    """``distill(out, "--beam", 2)`` runs the command line in this process."""
    return partial(distill_here, root)


@pytest.fixture(scope="session")
def reference(root: Path) -> Path:
    """The result of one undisturbed process."""
    bitext.run(*command(root, root / "reference"))
    return root / "reference"
