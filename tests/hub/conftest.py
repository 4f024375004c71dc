"""Model folders of the latent transformer and of the teacher."""

import folders
import pytest


@pytest.fixture(scope="session")
def latent_folder(latent_checkpoint, digits, tmp_path_factory):
    """With weights only."""
    return folders.packaged(tmp_path_factory, "latent", latent_checkpoint, digits)


@pytest.fixture(scope="session")
def teacher_folder(teacher_checkpoint, digits, tmp_path_factory):
    """With weights and the stock checkpoint."""
    return folders.packaged(tmp_path_factory, "teacher", teacher_checkpoint, digits)


@pytest.fixture(scope="session")
def onnx_folder(latent_checkpoint, digits, tmp_path_factory):
    """With ``onnx/`` and ``code_words.json``."""
    return folders.exported(tmp_path_factory, latent_checkpoint, digits)
