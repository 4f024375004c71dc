"""A model that has learned digits, exported, and a server that serves it."""

import bitext
import pytest
from exporting import Exported, sentences
from serving_process import Served
from shared import made_once


@pytest.fixture(scope="session")
def model(digits, latent_checkpoint, tmp_path_factory):
    """nc = 1, fp32, and the words of some codes."""

    def make(folder):
        paths = ("--path", latent_checkpoint, "--data", digits, "--out", folder / "onnx")
        bitext.run("scripts/export.py", *paths, "--precision", "fp32")

    folder = made_once(tmp_path_factory, "served", make) / "onnx"
    return Exported(latent_checkpoint, digits, folder, sentences(20))


@pytest.fixture(scope="session")
def server(model):
    """One server for all tests that change nothing and need the usual limits."""
    with Served(model.folder) as server:
        yield server
