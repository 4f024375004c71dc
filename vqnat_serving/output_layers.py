"""From what a decoder's graph returns to the text of a sentence: the same as ``vqnat.output_layers``.

Each reader takes one sentence's own positions (L,) and returns its tokens, the end of sentence last, as many
log-probabilities, and as many spans: the positions (first, after the last) that wrote a token. An end of sentence that
no position wrote has the empty span (L, L).
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from vqnat_serving.vocabulary import BOS, EOS

BLANK = BOS
Span = tuple[int, int]


class Read(NamedTuple):
    """One sentence as an output layer reads it."""

    tokens: list[int]
    scores: np.ndarray
    spans: list[Span]


def read_plain(words: np.ndarray, scores: np.ndarray) -> Read:
    """One word per position, up to the first end of sentence; without one, all words (the end counts in the length)."""
    stops = np.flatnonzero(words == EOS)
    if len(stops):
        count = int(stops[0]) + 1
        return Read(words[:count].tolist(), scores[:count], [(place, place + 1) for place in range(count)])
    count = len(words)
    spans = [(place, place + 1) for place in range(count)]
    return Read([*words.tolist(), EOS], np.append(scores, np.float32(0)), [*spans, (count, count)])


def read_ctc(words: np.ndarray, scores: np.ndarray) -> Read:
    """Repeats and blanks are removed; a word's score is that of its positions and of the blanks before it.

    A word's span is its positions without those blanks.
    """
    count = len(words)
    changes = words != np.append(BLANK, words[:-1])
    new = changes & (words != BLANK)
    owner = np.cumsum(new) - (words != BLANK)
    each = np.zeros(int(new.sum()) + 1, dtype=np.float32)
    np.add.at(each, owner, scores)
    firsts = np.flatnonzero(new)
    borders = np.append(np.flatnonzero(changes), count)
    afters = borders[np.searchsorted(borders, firsts, side="right")]  # where the next run begins
    spans = list(zip(firsts.tolist(), afters.tolist(), strict=True))
    return Read([*words[new].tolist(), EOS], each, [*spans, (count, count)])


def read_dag(words: np.ndarray, scores: np.ndarray, following: np.ndarray, links: np.ndarray) -> Read:
    """The words along the chosen successors; the last vertex writes the end of sentence."""
    tokens, each, spans, vertex, end = [], [], [], 0, len(words) - 1
    while vertex < end:
        link, vertex = links[vertex], int(following[vertex])
        tokens.append(int(words[vertex]) if vertex < end else EOS)
        each.append(link + scores[vertex] if vertex < end else link)
        spans.append((vertex, vertex + 1))
    return Read(tokens or [EOS], np.array(each or [0], dtype=np.float32), spans or [(end, end + 1)])


Reader = Callable[..., Read]
READERS: dict[str, Reader] = {"plain": read_plain, "ctc": read_ctc, "dag": read_dag}
