"""Trained image models from their checkpoints."""

from pathlib import Path

from fairseq import checkpoint_utils

from vqnat.averaging import load_checkpoint
from vqnat.errors import UserError
from vqnat.image.autoencoders.autoencoder import ImageAutoencoder
from vqnat.image.autoencoders.vqvae import ImageVQVAE


def load_model(path: Path, overrides: dict | None = None) -> tuple:
    """(model in evaluation mode, task) of a checkpoint of either image task.

    Raises:
        UserError: the file is missing, unreadable, or of another kind of model.
    """
    state = load_checkpoint(path)
    task = (state.get("cfg") or {}).get("task")
    name = getattr(task, "_name", None) if not isinstance(task, dict) else task.get("_name")
    if name not in ("image_vqvae", "image_latent_transformer"):
        raise UserError(f"{path}: a checkpoint of the task {name}; needed: image_vqvae or image_latent_transformer")
    models, _, loaded = checkpoint_utils.load_model_ensemble_and_task([str(path)], arg_overrides=overrides)
    return models[0].eval(), loaded


def load_autoencoder(path: Path, data: str | None = None) -> ImageAutoencoder:
    """A trained autoencoder.

    Args:
        path: its checkpoint.
        data: folder of images in place of the one it was trained on.

    Raises:
        UserError: as :func:`load_model`, or it is a checkpoint of a prior.
    """
    model, _ = load_model(path, {"data": data} if data else None)
    if not isinstance(model, ImageAutoencoder):
        raise UserError(f"{path}: a prior, not an autoencoder")
    return model


def load_vqvae(path: Path, data: str | None = None) -> ImageVQVAE:
    """A trained VQ-VAE whose codebook has started; errors as :func:`load_autoencoder`."""
    model = load_autoencoder(path, data)
    if not isinstance(model, ImageVQVAE):
        raise UserError(f"{path}: {type(model).__name__} has no codes; needed: a checkpoint of image_vqvae")
    if not model.bottleneck.started:
        raise UserError(f"{path}: stopped before its codebook's start (--codebook-start-updates); train it further")
    return model
