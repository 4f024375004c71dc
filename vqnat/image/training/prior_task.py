"""``--task image_latent_transformer``: learn the codes of a trained VQ-VAE."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Optional

from fairseq.tasks import register_task

from vqnat.errors import UserError
from vqnat.image.trained_models import load_vqvae
from vqnat.image.training.image_task import ImageTask, ImageTaskConfig


@dataclass
class ImagePriorTaskConfig(ImageTaskConfig):
    """Options of ``--task image_latent_transformer``."""

    vqvae: Optional[str] = field(  # noqa: UP045  (fairseq's parser does not read `str | None`)
        default=None,
        metadata={"help": "checkpoint of the image_vqvae whose codes are learned; it is not trained further"},
    )


@register_task("image_latent_transformer", dataclass=ImagePriorTaskConfig)
class ImagePriorTask(ImageTask):
    """Loads images; the criterion encodes them on the fly, for fresh mirroring and fresh samples in every epoch.

    Attributes:
        autoencoder: the trained VQ-VAE in evaluation mode, without gradients; not part of the prior's checkpoint.
    """

    def __init__(self, cfg: ImagePriorTaskConfig):
        super().__init__(cfg)
        if not cfg.vqvae:
            raise UserError("--vqvae: missing; the checkpoint of a trained image_vqvae")
        self.autoencoder = load_vqvae(Path(cfg.vqvae), cfg.data).requires_grad_(False)
        if self.autoencoder.image_size != self.image_size:
            raise UserError(
                f"--vqvae {cfg.vqvae}: trained on images of {self.autoencoder.image_size} pixels, "
                f"{cfg.data} has {self.image_size}"
            )
