"""Texts compared with others: agreement, lengths, repetitions, loops."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from sacrebleu.metrics import BLEU, CHRF

LOOP_TIMES = 3  # an n-gram so many times in a row is a loop
LOOP_WORDS = 4  # longest such n-gram


def repeated(words: Sequence[str]) -> int:
    """Number of words that equal the preceding word."""
    return sum(a == b for a, b in pairwise(words))


def has_loop(words: Sequence[str], times: int = LOOP_TIMES, longest: int = LOOP_WORDS) -> bool:
    """Whether some n-gram, n = 1 to ``longest``, occurs ``times`` times in a row."""
    for n in range(1, longest + 1):
        run = 0  # words in a row that equal the one n before them
        for a, b in zip(words, words[n:], strict=False):
            run = run + 1 if a == b else 0
            if run == n * (times - 1):
                return True
    return False


def text_figures(texts: Sequence[str], references: Sequence[str], teacher: Sequence[str] | None) -> dict[str, Any]:
    """All measures that need nothing but texts.

    Args:
        texts: detokenized, one per sentence.
        references: likewise.
        teacher: the teacher's translations; None without a teacher.

    Returns:
        ``sacrebleu``, ``chrf``, ``brevity_penalty`` and ``length_ratio`` against the references;
        ``bleu_to_teacher``, ``length_ratio_to_teacher`` against the teacher's text as the only reference;
        ``dropped_words``: by how many words texts are shorter than the teacher's, over the number of the teacher's
        words (a text that drops one word and adds another counts 0); ``repeated_words``: share of words that equal the
        preceding word; ``loops``: share of texts with an n-gram three or more times in a row. Words are separated by
        spaces.
    """
    found = BLEU().corpus_score(list(texts), [list(references)])
    words = [text.split() for text in texts]
    figures: dict[str, Any] = {
        "sacrebleu": found.score,
        "chrf": CHRF().corpus_score(list(texts), [list(references)]).score,
        "brevity_penalty": found.bp,
        "length_ratio": found.sys_len / found.ref_len if found.ref_len else None,
        "repeated_words": sum(map(repeated, words)) / max(1, sum(map(len, words))),
        "loops": sum(map(has_loop, words)) / len(words),
        "bleu_to_teacher": None,
        "length_ratio_to_teacher": None,
        "dropped_words": None,
    }
    if teacher is not None:
        near = BLEU().corpus_score(list(texts), [list(teacher)])
        lengths = [len(text.split()) for text in teacher]
        missing = sum(max(0, wanted - len(text)) for wanted, text in zip(lengths, words, strict=True))
        figures |= {
            "bleu_to_teacher": near.score,
            "length_ratio_to_teacher": near.sys_len / near.ref_len if near.ref_len else None,
            "dropped_words": missing / max(1, sum(lengths)),
        }
    return figures


def signatures() -> dict[str, str]:
    """Signatures of sacreBLEU and chrF."""
    bleu, chrf = BLEU(), CHRF()
    for metric in (bleu, chrf):
        metric.corpus_score(["a"], [["a"]])  # the signature includes the number of references, known only after use
    return {"signature": str(bleu.get_signature()), "chrf_signature": str(chrf.get_signature())}
