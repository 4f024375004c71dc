"""Real data and real checkpoints, made once a session by the real command lines."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # small matrices: more threads only wait for each other

import bitext
import pytest
import torch

import vqnat.plugin  # noqa: F401  (torch.load then reads fairseq checkpoints)

torch.set_num_threads(1)


@pytest.fixture(scope="session")
def digits(tmp_path_factory):
    """A binarized bitext of digit names; raw text beside it in ``raw``."""
    folder = tmp_path_factory.mktemp("digits")
    bitext.write(folder / "raw", {"train": 2000, "valid": 60, "test": 60})
    return bitext.binarize(folder / "raw", folder / "bin")


@pytest.fixture(scope="session")
def latent_checkpoint(digits, tmp_path_factory):
    """A small latent transformer that has learned the digits (soft EM)."""
    return bitext.train_latent(digits, tmp_path_factory.mktemp("latent"), updates=bitext.DECAY)


@pytest.fixture(scope="session")
def teacher_checkpoint(digits, tmp_path_factory):
    """A small autoregressive teacher for the same text."""
    return bitext.train_teacher(digits, tmp_path_factory.mktemp("teacher"), updates=300)
