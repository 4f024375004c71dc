"""Repetitions, loops and lengths of texts made by hand."""

import pytest
from sacrebleu.metrics import BLEU

from vqnat.diagnosis.text_measures import has_loop, repeated, signatures, text_figures


def test_words_equal_to_the_one_before_are_counted():
    assert repeated([]) == repeated(["a"]) == repeated(["a", "b", "a", "b"]) == 0
    assert repeated(["a", "a", "b", "b", "b", "a"]) == 3


@pytest.mark.parametrize(
    ("text", "loops"),
    [
        ("", False),
        ("a a", False),
        ("a a a", True),
        ("x a a a y", True),
        ("a b a b", False),
        ("a b a b a", False),  # twice and a half
        ("a b a b a b", True),
        ("x a b c a b c a b c", True),
        ("a b c d a b c d a b c d", True),
        ("a b c d e a b c d e a b c d e", False),  # longer than is looked for
        ("a a b b a a", False),
        ("a b a a b a a b", False),
        ("b a a b a a b a a", True),
    ],
)
def test_a_loop_is_an_n_gram_three_times_in_a_row(text, loops):
    assert has_loop(text.split()) is loops


def test_figures_of_known_texts():
    references = ["one two three four five six", "one two three four five"]
    teacher = ["one two three four five six seven", "one two three four five"]
    same = text_figures(references, references, teacher)
    assert same["sacrebleu"] == pytest.approx(100) and same["chrf"] == pytest.approx(100)
    assert same["length_ratio"] == same["brevity_penalty"] == 1
    assert same["length_ratio_to_teacher"] == pytest.approx(11 / 12)
    assert same["dropped_words"] == pytest.approx(1 / 12)
    assert same["bleu_to_teacher"] == pytest.approx(BLEU().corpus_score(references, [teacher]).score)
    assert same["repeated_words"] == same["loops"] == 0

    texts = ["one one one two three four five six seven eight", "one"]  # what one has too many, the other lacks
    found = text_figures(texts, references, teacher)
    assert found["dropped_words"] == pytest.approx(4 / 12)
    assert found["repeated_words"] == pytest.approx(2 / 11)
    assert found["loops"] == 0.5
    assert found["length_ratio"] == pytest.approx(1.0)


def test_empty_texts_and_no_teacher():
    found = text_figures(["", ""], ["one two", "three"], None)
    assert found["sacrebleu"] == found["repeated_words"] == found["loops"] == found["length_ratio"] == 0
    assert found["bleu_to_teacher"] is found["dropped_words"] is found["length_ratio_to_teacher"] is None
    assert text_figures(["one"], [""], [""])["length_ratio"] is None
    assert "tok:13a" in signatures()["signature"]
