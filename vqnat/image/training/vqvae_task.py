"""``--task image_vqvae``: learn to reconstruct images through a bottleneck."""

from dataclasses import dataclass

from fairseq.tasks import register_task

from vqnat.image.training.image_task import ImageTask, ImageTaskConfig
from vqnat.tasks.codebook_updates import CodebookUpdates


@dataclass
class ImageVQVAETaskConfig(ImageTaskConfig):
    """Options of ``--task image_vqvae``."""


@register_task("image_vqvae", dataclass=ImageVQVAETaskConfig)
class ImageVQVAETask(CodebookUpdates, ImageTask):
    """Reconstructs images; updates the codebook once per optimizer step."""
