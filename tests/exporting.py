"""A checkpoint of fairseq-train as an exported folder, and the same checkpoint in torch."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import bitext
import pytest
from shared import made_once

from vqnat.hub import LatentTranslator
from vqnat_serving import Hypothesis, OnnxTranslator
from vqnat_serving.description import Description

UNTRAINED = ("--codebook-start", "random", "--seed", 3)


@dataclass(eq=False)
class Exported:
    """A checkpoint, the folder that scripts/export.py made of it, and sentences for it."""

    checkpoint: Path
    data: Path
    folder: Path
    sentences: list[str]

    @cached_property
    def runner(self) -> OnnxTranslator:
        """The runner with its usual options."""
        return OnnxTranslator(self.folder)

    @property
    def description(self) -> Description:
        return self.runner.description

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


def made_for_servers(checkpoint, data, factory):
    """A model as fp32, exported once a run for all folders of tests."""

    def write(folder):
        paths = ("--path", checkpoint, "--data", data, "--out", folder / "onnx")
        bitext.run("scripts/export.py", *paths, "--precision", "fp32")

    return Exported(checkpoint, data, made_once(factory, "served", write) / "onnx", sentences(20))


def same(
    found: Sequence[Sequence[Hypothesis]], expected: Sequence[Sequence[Hypothesis]], tolerance: float = 1e-3
) -> None:
    """Assert that hypotheses are the same, and their scores but for the order of summing."""
    assert len(found) == len(expected)
    for ours, theirs in zip(found, expected, strict=True):
        assert [(h.text, h.tokens, h.codes) for h in ours] == [(h.text, h.tokens, h.codes) for h in theirs]
        assert [h.score for h in ours] == pytest.approx([h.score for h in theirs], abs=tolerance)
