"""Real data and real checkpoints, made once a session by the real command lines."""

import os
from functools import partial

os.environ.setdefault("OMP_NUM_THREADS", "1")  # small matrices: more threads only wait for each other

import bitext
import pytest
import torch
from shared import made_once

import vqnat.plugin  # noqa: F401  (torch.load then reads fairseq checkpoints)

torch.set_num_threads(1)

# The longest first, so that at the end no worker has minutes left while the others wait.
LONGEST = ["tests/test_command_lines.py", "tests/test_quickstart.py", "tests/output_layers", "tests/serving"]


def _group(nodeid: str) -> str:
    """What stays with one worker of pytest-xdist: a folder's tests, as they share what they train."""
    file = nodeid.split("::")[0]
    folder = file.rpartition("/")[0]
    return file if folder == "tests" else folder


def pytest_configure(config):
    config.option.loadscopereorder = False  # pytest-xdist: keep our order instead of the most tests first


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items):
    groups = [*LONGEST, None]
    items.sort(key=lambda item: groups.index(group if (group := _group(item.nodeid)) in LONGEST else None))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Groups of tests, not single ones, go to the workers of pytest-xdist."""
    from xdist.scheduler import LoadScopeScheduling

    class ByFolder(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            return _group(nodeid)

    return ByFolder(config, log)


@pytest.fixture(scope="session")
def digits(tmp_path_factory):
    """A binarized bitext of digit names; raw text beside it in ``raw``."""

    def make(folder):
        bitext.write(folder / "raw", {"train": 2000, "valid": 60, "test": 60})
        bitext.binarize(folder / "raw", folder / "bin")

    return made_once(tmp_path_factory, "digits", make) / "bin"


@pytest.fixture(scope="session")
def latent_checkpoint(digits, tmp_path_factory):
    """A small latent transformer that has learned the digits (soft EM)."""
    train = partial(bitext.train_latent, digits, updates=bitext.DECAY)
    return made_once(tmp_path_factory, "latent", train) / "checkpoint_last.pt"


@pytest.fixture(scope="session")
def teacher_checkpoint(digits, tmp_path_factory):
    """A small autoregressive teacher for the same text."""
    return made_once(tmp_path_factory, "teacher", partial(bitext.train_teacher, digits)) / "checkpoint_last.pt"


@pytest.fixture(scope="session")
def nat_checkpoint(digits, tmp_path_factory):
    """A one-shot model of fairseq's own after a few updates."""
    return made_once(tmp_path_factory, "nat", partial(bitext.train_nat, digits)) / "checkpoint_last.pt"
