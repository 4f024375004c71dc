"""Checkpoints of fairseq-train as exported folders, and the same checkpoints in torch."""

import random
from dataclasses import dataclass
from pathlib import Path

import bitext
import pytest

from vqnat.hub import LatentTranslator
from vqnat_serving import OnnxTranslator

UNTRAINED = ("--codebook-start", "random", "--seed", 3)


@dataclass
class Exported:
    """A checkpoint, the folder that scripts/export.py made of it, and sentences for it."""

    checkpoint: Path
    data: Path
    folder: Path
    sentences: list[str]

    def torch(self, **options):
        return LatentTranslator.from_pretrained(self.checkpoint, self.data, **options)

    def onnx(self, **options):
        return OnnxTranslator(self.folder, **options)


def sentences(count):
    """Short ones and long ones in no order, an empty one, and words that nobody has seen."""
    numbers = random.Random(5)
    lengths = [1, 2, 60, *(numbers.randint(1, 25) for _ in range(count))]
    numbers.shuffle(lengths)
    lines = [" ".join(numbers.choice(bitext.ENGLISH) for _ in range(length)) for length in lengths]
    return [*lines, "", "one unheard nine"]


def make(checkpoint, data, folder, *more, count=20):
    bitext.run("scripts/export.py", "--path", checkpoint, "--data", data, "--out", folder, *more)
    return Exported(checkpoint, data, folder, sentences(count))


@pytest.fixture(scope="session")
def trained(digits, latent_checkpoint, tmp_path_factory):
    """nc = 1, trained; every precision."""
    folder = tmp_path_factory.mktemp("exported") / "trained"
    return make(latent_checkpoint, digits, folder, "--precision", "fp32", "int8", count=60)


@pytest.fixture(scope="session")
def pieces(tmp_path_factory):
    """nc = 2, random weights, sentencepiece, a shallow predictor, other embeddings for each side."""
    folder = tmp_path_factory.mktemp("pieces")
    bitext.write(folder / "raw", {"train": 300, "valid": 5, "test": 5})
    bitext.run("data-prep/binarise.py", "--raw", folder / "raw", "--out", folder, "--vocabulary", 60, "--workers", 1)
    options = ("--compression-steps", 2, "--decoder-layers", 2, "--predictor-layers", 1, *UNTRAINED)
    options = (*options, "--tie-predictor-output", "--helper-layers", 1, "--seed", 6)  # not all the same words
    checkpoint = bitext.train_latent(folder / "bin", folder / "run", *options, "--disable-validation", updates=1)
    return make(checkpoint, folder / "bin", folder / "exported", "--precision", "fp32")


@pytest.fixture(scope="session")
def ratio(digits, tmp_path_factory):
    """nc = 3, random weights, the number of codes a multiple of the source length."""
    folder = tmp_path_factory.mktemp("ratio")
    options = ("--compression-steps", 3, "--length-mode", "ratio", "--length-ratio", 1.7, "--encoder-normalize-before")
    checkpoint = bitext.train_latent(digits, folder / "run", *options, *UNTRAINED, "--disable-validation", updates=1)
    return make(checkpoint, digits, folder / "exported", "--precision", "fp32")
