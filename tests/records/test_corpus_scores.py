"""Scores of large corpora."""

import random

import pytest
from sacrebleu.metrics import BLEU, CHRF

from vqnat.records import corpus_scores


@pytest.mark.parametrize("metric", [BLEU, CHRF])
def test_parts_add_up_to_the_whole(metric, monkeypatch):
    numbers = random.Random(1)
    words = ["der", "kleine", "Hund", "sieht", "eine", "Katze", "."]
    references = [" ".join(numbers.choices(words, k=numbers.randint(4, 9))) for _ in range(50)]
    outputs = [line if numbers.random() < 0.3 else " ".join(line.split()[1:]) + " heute" for line in references]
    whole = metric().corpus_score(outputs, [references]).score
    monkeypatch.setattr(corpus_scores, "PART", 7)
    assert 0 < whole < 100
    assert corpus_scores.corpus_score(metric(), outputs, references) == whole
