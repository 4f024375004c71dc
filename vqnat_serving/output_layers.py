"""From what a decoder's graph returns to the text of a sentence: the same as ``vqnat.output_layers``.

Each reader takes one sentence's own positions (L,) and returns its tokens, the end of sentence last, and as many
log-probabilities.
"""

from collections.abc import Callable

import numpy as np

from vqnat_serving.vocabulary import BOS, EOS

BLANK = BOS


def read_plain(words: np.ndarray, scores: np.ndarray) -> tuple[list[int], np.ndarray]:
    """One word per position, up to the first end of sentence; without one, all words (the end counts in the length)."""
    stops = np.flatnonzero(words == EOS)
    if len(stops):
        return words[: stops[0] + 1].tolist(), scores[: stops[0] + 1]
    return [*words.tolist(), EOS], np.append(scores, np.float32(0))


def read_ctc(words: np.ndarray, scores: np.ndarray) -> tuple[list[int], np.ndarray]:
    """Repeats and blanks are removed; a word's score is that of its positions and of the blanks before it."""
    new = (words != np.append(BLANK, words[:-1])) & (words != BLANK)
    owner = np.cumsum(new) - (words != BLANK)
    each = np.zeros(int(new.sum()) + 1, dtype=np.float32)
    np.add.at(each, owner, scores)
    return [*words[new].tolist(), EOS], each


def read_dag(
    words: np.ndarray, scores: np.ndarray, following: np.ndarray, links: np.ndarray
) -> tuple[list[int], np.ndarray]:
    """The words along the chosen successors; the last vertex writes the end of sentence."""
    tokens, each, vertex, end = [], [], 0, len(words) - 1
    while vertex < end:
        link, vertex = links[vertex], following[vertex]
        tokens.append(int(words[vertex]) if vertex < end else EOS)
        each.append(link + scores[vertex] if vertex < end else link)
    return tokens or [EOS], np.array(each or [0], dtype=np.float32)


Reader = Callable[..., tuple[list[int], np.ndarray]]
READERS: dict[str, Reader] = {"plain": read_plain, "ctc": read_ctc, "dag": read_dag}
