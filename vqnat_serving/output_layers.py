"""From what a model wrote to the tokens of a sentence: the same as ``vqnat.output_layers``.

Each reader returns a sentence's tokens, the end of sentence last, as many log-probabilities, and as many spans: the
positions (first, after the last) that wrote a token. An end of sentence that no position wrote has the empty span
(L, L).
"""

from collections.abc import Callable
from typing import NamedTuple

from vqnat_serving.vocabulary import BOS, EOS
from vqnat_serving.written import Written

BLANK = BOS
Span = tuple[int, int]


class Read(NamedTuple):
    """One sentence as an output layer reads it."""

    tokens: list[int]
    scores: list[float]
    spans: list[Span]


def read_plain(written: Written) -> Read:
    """One word per position, up to the first end of sentence; without one, all words (the end counts in the length)."""
    words, scores = list(written.words), list(written.scores)
    if EOS in words:
        count = words.index(EOS) + 1
        return Read(words[:count], scores[:count], [(place, place + 1) for place in range(count)])
    count = len(words)
    return Read([*words, EOS], [*scores, 0.0], [*((place, place + 1) for place in range(count)), (count, count)])


def read_ctc(written: Written) -> Read:
    """Repeats and blanks are removed; a word's score is that of its positions and of the blanks before it.

    A word's span is its positions without those blanks.
    """
    tokens, scores, spans = list[int](), list[float](), list[Span]()
    before, start, blanks = BLANK, 0, 0.0
    for place, (word, score) in enumerate(zip(written.words, written.scores, strict=True)):
        if word != before:
            if before != BLANK:
                spans.append((start, place))
            if word != BLANK:
                tokens.append(word)
                scores.append(blanks)
                start, blanks = place, 0.0
            before = word
        if word == BLANK:
            blanks += score
        else:
            scores[-1] += score
    count = len(written.words)
    if before != BLANK:
        spans.append((start, count))
    return Read([*tokens, EOS], [*scores, blanks], [*spans, (count, count)])


def read_dag(written: Written) -> Read:
    """The words along the chosen successors; the last vertex writes the end of sentence."""
    tokens, scores, spans, vertex, end = list[int](), list[float](), list[Span](), 0, len(written.words) - 1
    while vertex < end:
        link, vertex = written.links[vertex], written.following[vertex]
        tokens.append(written.words[vertex] if vertex < end else EOS)
        scores.append(link + written.scores[vertex] if vertex < end else link)
        spans.append((vertex, vertex + 1))
    return Read(tokens or [EOS], scores or [0.0], spans or [(end, end + 1)])


READERS: dict[str, Callable[[Written], Read]] = {"plain": read_plain, "ctc": read_ctc, "dag": read_dag}
