"""A fairseq dataset of images."""

import numpy as np
import torch
from fairseq.data import FairseqDataset


class ImageDataset(FairseqDataset):
    """Images (N, H, W, 3) uint8, mapped into memory.

    fairseq forms batches of positions once and shuffles whole batches. In training a position stands for another
    image in every epoch, so that batches are made anew; which image, and whether it is mirrored, is a function of
    seed, epoch and position alone: a resumed training sees what one that never stopped would.

    Attributes:
        images: the array.
        train: shuffle and, with ``flip``, mirror half of the images.
    """

    def __init__(self, images: np.ndarray, train: bool = False, flip: bool = False, seed: int = 1):
        super().__init__()
        self.images, self.train, self.flip, self.seed = images, train, flip, seed
        self.set_epoch(1)

    def set_epoch(self, epoch: int) -> None:
        """fairseq's hook at the start of an epoch."""
        super().set_epoch(epoch)
        count = len(self.images)
        self._order, self._flipped = None, None
        if self.train:
            random = np.random.default_rng((self.seed, epoch))
            self._order = random.permutation(count)  # (N,)
            self._flipped = random.random(count) < 0.5 if self.flip else None  # (N,)

    @property
    def can_reuse_epoch_itr_across_epochs(self) -> bool:
        return True

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, position: int) -> dict:
        index = position if self._order is None else int(self._order[position])
        image = np.array(self.images[index])  # (H, W, 3), a copy of the mapped bytes
        if self._flipped is not None and self._flipped[position]:
            image = image[:, ::-1].copy()
        return {"id": index, "image": torch.from_numpy(image)}

    def collater(self, samples: list[dict]) -> dict:
        """``image`` (B, 3, H, W) uint8, ``id`` (B,) the rows in the file, ``nsentences`` B."""
        if not samples:
            return {}
        return {
            "id": torch.tensor([sample["id"] for sample in samples]),
            "image": torch.stack([sample["image"] for sample in samples]).permute(0, 3, 1, 2).contiguous(),
            "nsentences": len(samples),
        }

    @property
    def sizes(self) -> np.ndarray:
        """One for each image: ``--max-tokens`` counts images, as ``--batch-size`` does."""
        return np.ones(len(self.images), dtype=np.int64)

    def num_tokens(self, index: int) -> int:
        return 1

    def num_tokens_vec(self, indices: np.ndarray) -> np.ndarray:
        return np.ones(len(indices), dtype=np.int64)

    def size(self, index: int) -> int:
        return 1

    def __getstate__(self) -> dict:
        # A worker process maps the file itself: pickling a map would copy all its bytes.
        state = self.__dict__.copy()
        if isinstance(self.images, np.memmap):
            state["images"] = (self.images.filename, self.images.shape)
        return state

    def __setstate__(self, state: dict) -> None:
        self.__dict__.update(state)
        if isinstance(self.images, tuple):
            filename, shape = self.images
            self.images = np.memmap(filename, np.uint8, "r", shape=shape)
