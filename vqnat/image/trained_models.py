"""Checkpoints of image models -> models in evaluation mode."""

from pathlib import Path

from fairseq import checkpoint_utils

from vqnat.checkpoints.reading import read_checkpoint
from vqnat.errors import UserError
from vqnat.image.autoencoders.autoencoder import ImageAutoencoder
from vqnat.image.autoencoders.vqvae import ImageVQVAE
from vqnat.image.priors.image_prior import ImagePrior


def load_model(path: Path, overrides: dict | None = None) -> tuple:
    """Load (model in evaluation mode, task) of either image task.

    Args:
        path: the checkpoint.
        overrides: options of the task to use instead of the stored ones.

    Raises:
        UserError: the file is missing, unreadable, or another kind of model.
    """
    state = read_checkpoint(path)
    task = (state.get("cfg") or {}).get("task")
    name = getattr(task, "_name", None) if not isinstance(task, dict) else task.get("_name")
    if name not in ("image_vqvae", "image_latent_transformer"):
        raise UserError(f"{path}: a checkpoint of the task {name}; needed: image_vqvae or image_latent_transformer")
    models, _, loaded = checkpoint_utils.load_model_ensemble_and_task([str(path)], arg_overrides=overrides)
    return models[0].eval(), loaded


def load_autoencoder(path: Path, data: str | None = None) -> ImageAutoencoder:
    """Load a trained autoencoder.

    Args:
        path: its checkpoint.
        data: folder of images, if it has moved since the training.

    Raises:
        UserError: as for :func:`load_model`, or it is a prior.
    """
    model, _ = load_model(path, {"data": data} if data else None)
    if not isinstance(model, ImageAutoencoder):
        raise UserError(f"{path}: a prior, not an autoencoder")
    return model


def load_vqvae(path: Path, data: str | None = None) -> ImageVQVAE:
    """Load a trained VQ-VAE whose codebook has started.

    Raises:
        UserError: as for :func:`load_autoencoder`, or it has no codes yet.
    """
    model = load_autoencoder(path, data)
    if not isinstance(model, ImageVQVAE):
        raise UserError(f"{path}: {type(model).__name__} has no codes; needed: a checkpoint of image_vqvae")
    if not model.bottleneck.started:
        raise UserError(f"{path}: stopped before its codebook's start (--codebook-start-updates); train it further")
    return model


def load_prior(path: Path, vqvae: Path | None = None, data: Path | None = None) -> tuple[ImagePrior, ImageAutoencoder]:
    """Load a trained prior and the autoencoder whose codes it models.

    Args:
        path: checkpoint of the prior.
        vqvae: checkpoint of the autoencoder, if it has moved since the training.
        data: folder of images, if it has moved since the training.

    Raises:
        UserError: a file is missing, or is another kind of model.
    """
    given = {name: str(value) for name, value in (("vqvae", vqvae), ("data", data)) if value}
    prior, task = load_model(path, given)
    if not isinstance(prior, ImagePrior):
        raise UserError(f"{path}: an autoencoder, not a prior")
    return prior, task.autoencoder
