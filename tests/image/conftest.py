"""A data folder and a trained VQ-VAE, made once a session by the real command lines."""

import bitext
import pictures
import pytest


@pytest.fixture(scope="session")
def squares(tmp_path_factory):
    """A folder of tiny pictures."""
    return pictures.write(tmp_path_factory.mktemp("squares") / "data")


@pytest.fixture(scope="session")
def vqvae_checkpoint(squares, tmp_path_factory):
    """A small soft-EM VQ-VAE, 12 updates old."""
    return pictures.train_vqvae(squares, tmp_path_factory.mktemp("vqvae"), 12)[1]


@pytest.fixture(scope="session")
def prior_checkpoint(squares, vqvae_checkpoint, tmp_path_factory):
    """A small prior over its codes."""
    folder = tmp_path_factory.mktemp("prior")
    bitext.run(
        *("fairseq-train", squares, "--user-dir", "vqnat/image", "--task", "image_latent_transformer", "--cpu"),
        *("--vqvae", vqvae_checkpoint, "--arch", "image_latent_transformer_small", *pictures.PRIOR_ARGS),
        *("--criterion", "image_prior_loss", "--optimizer", "adam", "--lr", 0.003, "--batch-size", 16),
        *("--max-update", 6, "--save-dir", folder, "--no-epoch-checkpoints"),
    )
    return folder / "checkpoint_last.pt"
