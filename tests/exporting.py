"""A checkpoint of fairseq-train as an exported folder, and the same checkpoint in torch."""

import random
from dataclasses import dataclass
from pathlib import Path

import bitext

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
