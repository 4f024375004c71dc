"""Systems that need no model."""

import pytest
import torch

from vqnat.benchmarking.system import Batch


class Recorder:
    """A system that notes what it is asked to do, and gives the source back."""

    specials = frozenset({2})

    def __init__(self, name, log=None):
        self.name, self.log, self.seen, self.description = name, [] if log is None else log, [], {}

    def prepare(self, batch):
        self.seen.append(batch)
        return batch

    def translate(self, batch):
        self.log.append((self.name, batch.ids))
        encoded = self.encode(batch)
        return self.decode(encoded)

    def encode(self, batch):
        return [torch.tensor(source) for source in batch.sources]

    def decode(self, sources):
        return self.search(sources)

    def search(self, sources):
        return sources

    def phases(self):
        # search runs within decode
        return {"encoder": [(self, "encode")], "decoder": [(self, "decode")], "search": [(self, "search")]}


@pytest.fixture
def recorder():
    return Recorder


@pytest.fixture
def batches():
    """Seven batches of two sentences."""
    return [Batch((2 * n, 2 * n + 1), ((5,) * (n + 1) + (2,), (6, 2))) for n in range(7)]
