"""What the benchmarked systems translate, as text: quality of the very engines and precisions that were timed."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch

from vqnat.benchmarking.harness import sentences as data
from vqnat.benchmarking.harness.rounds import content
from vqnat.benchmarking.system import System
from vqnat.terminal.progress import Steps

BATCH = 32  # sentences
Scorer = Callable[[Sequence[str]], Mapping[str, Any]]  # of all translations, in the order of the split


def translate_all(
    systems: Sequence[System],
    test_set: data.TestSet,
    sentences: Sequence[data.Sentence],
    steps: Steps,
) -> dict[str, list[str]]:
    """The whole split by each system: name -> translations in the order of the split.

    Args:
        systems: what translates; at full length, with ends where the systems put them.
        test_set: the split.
        sentences: all of it.
        steps: shows what is being translated.
    """
    dictionary = data.read_dictionary(test_set, "target")
    batches = data.batches(data.choose(sentences), BATCH)
    found = {}
    for system in systems:
        steps.step(f"translations of {system.name}", len(batches))
        texts = [""] * len(sentences)
        for batch in batches:
            outputs = system.translate(system.prepare(batch))
            for number, tokens in zip(batch.ids, outputs, strict=True):
                words = torch.tensor(content(tokens.tolist(), system.specials))
                texts[number] = data.joined(dictionary, words)
            steps.advance()
        found[system.name] = texts
    return found
