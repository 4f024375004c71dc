"""The corpus: pairs of a source and one of its right translations, and the judgment of other translations."""

import random
from collections.abc import Iterator, Sequence

from vqnat.embedded import english, german
from vqnat.embedded.alternatives import Automaton, draw, matches
from vqnat.embedded.draw import draw_sentence
from vqnat.embedded.parse import parse

SPLITS = ("train", "valid", "test")
MIN_WORDS = 5
MAX_WORDS = 40
# Far fewer than the grammar has sentences, so that drawing a new one seldom takes many attempts.
MAX_PAIRS = 1_000_000


def generate(seed: int, train: int, valid: int, test: int, more: int = 0) -> dict[str, list[tuple[str, str]]]:
    """Draws a corpus, the same for the same arguments on every platform.

    Args:
        seed: seed of all draws.
        train: number of training pairs.
        valid: number of validation pairs.
        test: number of test pairs.
        more: number of pairs besides, for a teacher to translate.

    Returns:
        For each split, and for ``more`` if any are wanted, its pairs of an English source and a German
        translation, detokenized, of 5 to 40 words each. No source occurs twice, within a split or across them.

    Raises:
        ValueError: a size is negative, or the sizes sum to more than ``MAX_PAIRS``.
    """
    sizes = {"train": train, "valid": valid, "test": test, "more": more}
    for name, size in sizes.items():
        if size < 0:
            raise ValueError(f"the size of {name} must not be negative, but is {size}")
    if sum(sizes.values()) > MAX_PAIRS:
        raise ValueError(f"{sum(sizes.values())} pairs are too many: at most {MAX_PAIRS} are without repeats")
    rng = random.Random(seed)
    known: set[str] = set()
    # The small splits are drawn first, so that they are the same for every size of train; whatever is more, last.
    drawn = {name: [_new_pair(rng, known) for _ in range(sizes[name])] for name in (*reversed(SPLITS), "more")}
    return {name: drawn[name] for name in sizes if name in SPLITS or more}


def _new_pair(rng: random.Random, known: set[str]) -> tuple[str, str]:
    """Draws a pair whose source is not in ``known`` and adds the source to it."""
    while True:
        meaning = draw_sentence(rng)
        source = english.sentence(meaning)
        target = english.text(draw(german.sentence(meaning), rng))
        lengths = (len(source.split()), len(target.split()))
        if source not in known and min(lengths) >= MIN_WORDS and max(lengths) <= MAX_WORDS:
            known.add(source)
            return source, target


def is_right(source: str, output: str) -> bool:
    """Tells whether ``output`` is one of the right German translations of an English ``source``.

    Raises:
        ValueError: ``source`` is not a sentence of the grammar.
    """
    expression = german.sentence(parse(source))
    stripped = output.strip()
    words = [*stripped.replace(",", " ,").removesuffix(".").split(), "."]
    if english.text(words) != stripped:
        return False
    # The output capitalizes its first word, which may be lowercase in the grammar.
    firsts = dict.fromkeys((words[0], words[0][0].lower() + words[0][1:]))
    return any(matches(expression, [first, *words[1:]]) for first in firsts)


def right_translations(source: str) -> Iterator[str]:
    """Yields every right translation of ``source`` once, lazily and in a fixed order.

    Raises:
        ValueError: ``source`` is not a sentence of the grammar.
    """
    return map(english.text, Automaton(german.sentence(parse(source))))


def count_right_translations(source: str) -> int:
    """Returns the number of right translations of ``source``.

    Raises:
        ValueError: ``source`` is not a sentence of the grammar.
    """
    return Automaton(german.sentence(parse(source))).count()


def right_translation_rate(sources: Sequence[str], outputs: Sequence[str]) -> float:
    """Returns the share, between 0 and 1, of outputs that are right translations of their sources.

    Raises:
        ValueError: the lengths differ, there is no source, or a source is not a sentence of the grammar.
    """
    if len(sources) != len(outputs):
        raise ValueError(f"{len(sources)} sources, but {len(outputs)} outputs")
    if not sources:
        raise ValueError("no sources to rate")
    return sum(map(is_right, sources, outputs)) / len(sources)
