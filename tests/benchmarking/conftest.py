"""Systems that need no model, and a non-autoregressive checkpoint beside the shared ones."""

import bitext
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


@pytest.fixture(scope="session")
def nat_checkpoint(digits, tmp_path_factory):
    """A one-shot model of fairseq's own after a few updates."""
    folder = tmp_path_factory.mktemp("nat")
    sizes = [
        word
        for side in ("encoder", "decoder")
        for option, value in (("layers", 1), ("embed-dim", 32), ("ffn-embed-dim", 64), ("attention-heads", 2))
        for word in (f"--{side}-{option}", value)
    ]
    bitext.run(
        *("fairseq-train", digits, "--user-dir", "vqnat", "--task", "translation_lev", "--cpu"),
        *("--arch", "nonautoregressive_transformer", *sizes, "--criterion", "nat_loss"),
        *(
            "--noise",
            "full_mask",
            "--src-embedding-copy",
            "--pred-length-offset",
            "--length-loss-factor",
            0.1,
        ),
        *("--share-all-embeddings", "--apply-bert-init", "--optimizer", "adam", "--lr", 0.003),
        *("--max-tokens", 1500, "--max-update", 20, "--num-workers", 0, "--seed", 1),
        *("--save-dir", folder, "--no-epoch-checkpoints", "--disable-validation", "--no-progress-bar"),
    )
    return folder / "checkpoint_last.pt"
