"""The fairseq dataset of images."""

import numpy as np
import torch
from fairseq.data import FairseqDataset


class ImageDataset(FairseqDataset):
    """Images (N, H, W, 3) uint8, memory-mapped.

    fairseq forms batches of positions once and then shuffles whole batches only. So that batches mix anew, a training
    position stands for another image in every epoch. Which image, and whether it is mirrored, depends on seed, epoch
    and position alone: a resumed training sees the same batches as an uninterrupted one.

    Attributes:
        images: the array.
        train: whether to shuffle and, with ``flip``, to mirror half of the images.
    """

    def __init__(self, images: np.ndarray, train: bool = False, flip: bool = False, seed: int = 1):
        super().__init__()
        self.images, self.train, self.flip, self.seed = images, train, flip, seed
        self.set_epoch(1)

    def set_epoch(self, epoch: int) -> None:
        """Draw the epoch's order and mirroring; fairseq calls this when an epoch starts."""
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
        image = np.array(self.images[index])  # (H, W, 3), copied out of the map
        if self._flipped is not None and self._flipped[position]:
            image = image[:, ::-1].copy()
        return {"id": index, "image": torch.from_numpy(image)}

    def collater(self, samples: list[dict]) -> dict:
        """``image`` (B, 3, H, W) uint8, ``id`` (B,) indices into the split, ``nsentences`` B."""
        if not samples:
            return {}
        return {
            "id": torch.tensor([sample["id"] for sample in samples]),
            "image": torch.stack([sample["image"] for sample in samples]).permute(0, 3, 1, 2).contiguous(),
            "nsentences": len(samples),
        }

    @property
    def sizes(self) -> np.ndarray:
        """1 for each image: ``--max-tokens`` counts images, as ``--batch-size`` does."""
        return np.ones(len(self.images), dtype=np.int64)

    def num_tokens(self, index: int) -> int:
        return 1

    def num_tokens_vec(self, indices: np.ndarray) -> np.ndarray:
        return np.ones(len(indices), dtype=np.int64)

    def size(self, index: int) -> int:
        return 1

    def __getstate__(self) -> dict:
        # A worker process maps the file itself: pickling a memory map would copy all its bytes.
        state = self.__dict__.copy()
        if isinstance(self.images, np.memmap):
            state["images"] = (self.images.filename, self.images.offset, self.images.shape)
        return state

    def __setstate__(self, state: dict) -> None:
        self.__dict__.update(state)
        if isinstance(self.images, tuple):
            filename, offset, shape = self.images
            self.images = np.memmap(filename, np.uint8, "r", offset, shape)
