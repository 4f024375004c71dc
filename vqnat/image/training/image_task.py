"""The base of both image tasks: loading the data."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Optional

from fairseq.tasks import FairseqTask
from omegaconf import II

from vqnat.errors import UserError
from vqnat.image.datasets.image_dataset import ImageDataset
from vqnat.image.datasets.split_files import open_split, read_header
from vqnat.tasks.autocast import Autocast, AutocastConfig
from vqnat.tasks.checked_model import CheckedModel
from vqnat.tasks.reliable_batches import ReliableBatches


@dataclass
class ImageTaskConfig(AutocastConfig):
    """Options of every image task."""

    data: Optional[str] = field(  # noqa: UP045  (fairseq's parser does not read `str | None`)
        default=None, metadata={"help": "folder with train, valid and test, written by a script of data-prep"}
    )
    no_flip: bool = field(default=False, metadata={"help": "do not mirror training images at random"})
    seed: int = II("common.seed")


class ImageTask(CheckedModel, ReliableBatches, Autocast, FairseqTask):
    """Loads the splits of a folder; subclasses say what is learned from them.

    Attributes:
        image_size: (H, W) in pixels.
    """

    def __init__(self, cfg: ImageTaskConfig):
        super().__init__(cfg)
        if not cfg.data:
            raise UserError("no data: name the folder that a script of data-prep has made")
        height, width, _ = read_header(Path(cfg.data), "train")["shape"]
        self.image_size = (height, width)

    @classmethod
    def setup_task(cls, cfg: ImageTaskConfig, **_: object) -> "ImageTask":
        return cls(cfg)

    def load_dataset(self, split: str, combine: bool = False, **_: object) -> None:
        """Memory-map a split; ``train`` is shuffled and mirrored at random.

        Raises:
            UserError: its files are missing or damaged, or hold images of another size than the training split.
        """
        images = open_split(Path(self.cfg.data), split)
        if images.shape[1:3] != self.image_size:
            theirs, ours = ("{} x {}".format(*size) for size in (images.shape[1:3], self.image_size))
            raise UserError(f"{self.cfg.data}: {split} has images of {theirs} pixels, train of {ours}")
        train = split == "train"
        self.datasets[split] = ImageDataset(images, train, train and not self.cfg.no_flip, self.cfg.seed)

    def get_batch_iterator(self, dataset, **options):
        """As in fairseq, but ``--batch-size`` is required."""
        if options.get("max_sentences") is None and options.get("max_tokens") is None:
            raise UserError("no batch size: give --batch-size, in images")
        iterator = super().get_batch_iterator(dataset, **options)
        # Worker processes kept beyond an epoch would keep its order and mirroring.
        iterator.reuse_dataloader = iterator.persistent_workers = False
        return iterator

    @property
    def source_dictionary(self) -> None:
        return None

    @property
    def target_dictionary(self) -> None:
        return None
