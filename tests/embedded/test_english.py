"""English has one meaning per sentence, which the parser finds."""

import random

import pytest

from vqnat.embedded import count_right_translations, is_right, right_translations
from vqnat.embedded.draw import draw_sentence
from vqnat.embedded.english import sentence
from vqnat.embedded.parse import parse


def test_parse_returns_the_drawn_meaning() -> None:
    rng = random.Random(5)
    for _ in range(2000):
        meaning = draw_sentence(rng)
        assert parse(sentence(meaning)) == meaning


@pytest.mark.parametrize(
    "source",
    [
        "",
        ".",
        "Hello world.",
        "Anna visited Peter",  # no full stop
        "anna visited Peter.",
        "Anna visited a aunt.",
        "Anna were tired.",
        "It was tired.",  # nothing to take up
        "Anna visited Peter, because it was old.",
        "Anna ate a car.",
        "The car visited Anna.",
        "Anna picked up him.",
        "Anna said.",
        "Anna visited Peter that he was tired.",
        "Anna visited Peter because he was tired.",  # no comma
        "Yesterday Anna visited Peter yesterday.",
        "I was visited by we.",
    ],
)
def test_other_sentences_are_refused_by_name(source: str) -> None:
    for judge in (lambda: is_right(source, "Ja."), lambda: count_right_translations(source)):
        with pytest.raises(ValueError) as error:
            judge()
        assert repr(source) in str(error.value)
    with pytest.raises(ValueError):
        next(right_translations(source))


def test_an_before_a_vowel_and_was_with_i() -> None:
    assert parse("I was tired.").main.subject.noun == "I"
    assert parse("Anna ate an orange.").main.object.determiner == "a"
    assert parse("Anna opened an old box.").main.object.adjective == "old"
