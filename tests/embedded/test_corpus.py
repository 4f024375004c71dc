"""The generated corpus, and the judgement of translations against enumeration."""

import random
import re
import statistics
from functools import cache

import pytest

from vqnat.embedded import (
    count_right_translations,
    generate,
    is_right,
    right_translation_rate,
    right_translations,
)
from vqnat.embedded.corpus import MAX_PAIRS


@cache
def corpus() -> dict[str, list[tuple[str, str]]]:
    return generate(seed=7, train=1500, valid=150, test=150)


def small_sets(limit: int) -> list[tuple[str, str, set[str]]]:
    """Returns pairs of the test split with all right translations, where these are few."""
    pairs = [pair for pair in corpus()["test"] if count_right_translations(pair[0]) <= limit]
    assert len(pairs) > 40
    return [(source, target, set(right_translations(source))) for source, target in pairs]


def test_sizes_and_disjoint_splits() -> None:
    assert {name: len(pairs) for name, pairs in corpus().items()} == {
        "train": 1500,
        "valid": 150,
        "test": 150,
    }
    sources = [source for pairs in corpus().values() for source, _ in pairs]
    assert len(set(sources)) == len(sources)


def test_valid_and_test_do_not_depend_on_the_size_of_train() -> None:
    other = generate(seed=7, train=3, valid=150, test=150)
    assert other["valid"] == corpus()["valid"]
    assert other["test"] == corpus()["test"]
    assert other["train"] == corpus()["train"][:3]


def test_another_seed_is_another_corpus() -> None:
    assert generate(8, 0, 0, 20)["test"] != generate(9, 0, 0, 20)["test"]


@pytest.mark.parametrize("side", [0, 1])
def test_lengths_and_characters(side: int) -> None:
    sentences = [pair[side] for pairs in corpus().values() for pair in pairs]
    lengths = [len(sentence.split()) for sentence in sentences]
    assert min(lengths) >= 5 and max(lengths) <= 40
    assert 18 <= statistics.median(lengths) <= 22
    for sentence in sentences:
        assert re.fullmatch(r"[A-ZÄÖÜ][A-Za-zÄÖÜäöüß]*(,? [A-Za-zÄÖÜäöüß]+)+\.", sentence), sentence


def test_every_drawn_translation_is_right() -> None:
    for pairs in corpus().values():
        sources, targets = zip(*pairs, strict=True)
        assert right_translation_rate(sources, targets) == 1.0


def test_most_sources_have_many_translations() -> None:
    counts = [count_right_translations(source) for source, _ in corpus()["test"]]
    assert statistics.median(counts) >= 24


def test_enumeration_is_complete_and_without_repeats() -> None:
    for source, target, right in small_sets(60):
        listed = list(right_translations(source))
        assert len(listed) == len(right) == count_right_translations(source)
        assert target in right
        assert all(is_right(source, output) for output in listed)


def test_corrupted_translations_are_judged_as_by_enumeration() -> None:
    rng = random.Random(3)
    vocabulary = sorted({word for _, target in corpus()["train"] for word in target.split()})
    wrong = total = 0
    for source, target, right in small_sets(400):
        words = target.split()
        for _ in range(12):
            corrupted = list(words)
            position = rng.randrange(len(words))
            kind = rng.randrange(4)
            if kind == 0:
                corrupted[position] = rng.choice(vocabulary)
            elif kind == 1:
                other = rng.randrange(len(words))
                corrupted[position], corrupted[other] = corrupted[other], corrupted[position]
            elif kind == 2:
                del corrupted[position]
            else:
                corrupted.insert(position, words[position])
            output = " ".join(corrupted)
            assert is_right(source, output) == (output in right), output
            wrong += output not in right
            total += 1
    assert wrong > 0.8 * total


def test_wrong_endings_are_wrong() -> None:
    """Another ending of an article or adjective is never right, as each ending is determined."""
    rng = random.Random(4)
    tried = 0
    for source, target in corpus()["train"][:400]:
        words = target.split()
        for position, word in enumerate(words):
            stem = re.fullmatch(r"(ein|kein|mein|unser|rot|neu|alt|groß|klein|schön|gut)(e|en|er|es|em)", word)
            if stem and rng.random() < 0.5:
                endings = [ending for ending in ("e", "en", "er", "es", "em") if ending != stem[2]]
                words[position] = stem[1] + rng.choice(endings)
                tried += 1
                assert not is_right(source, " ".join(words)), " ".join(words)
                words[position] = word
    assert tried > 100


def test_rate() -> None:
    source, target = corpus()["test"][0]
    assert right_translation_rate([source] * 4, [target, "", "Nein.", target]) == 0.5
    with pytest.raises(ValueError, match="2 sources, but 1 outputs"):
        right_translation_rate([source] * 2, [target])
    with pytest.raises(ValueError, match="no sources"):
        right_translation_rate([], [])


def test_bad_sizes() -> None:
    with pytest.raises(ValueError, match="valid must not be negative"):
        generate(1, 1, -1, 1)
    with pytest.raises(ValueError, match="too many"):
        generate(1, MAX_PAIRS, 1, 0)
