"""Which words a translation of given source words may have, learned from a bitext.

The output layer is a third to a half of the work of a parallel decoder, and for any one sentence nearly all of its
words are out of the question. A lexical shortlist names, for each source symbol, the target symbols that most probably
translate it by IBM model 1 (Brown et al. 1993, *The Mathematics of Statistical Machine Translation*); a sentence may
use those of its own symbols, and the most frequent ones (Jean et al. 2015, arXiv:1412.2007, section 3.3).
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vqnat.data.bitext import open_split
from vqnat.errors import UserError
from vqnat_serving.shortlist import FILE, FORMAT, Shortlist

MOST_LINKS = 50_000_000  # of a source and a target position, that are enough to estimate the table; 3 GB of memory
TRANSLATIONS, FREQUENT = 100, 100  # see ``shortlist``; chosen on Multi30k's validation set
ITERATIONS = 5


@dataclass(frozen=True)
class Pairs:
    """Every source symbol of a sentence beside every target symbol of it, over a bitext.

    Attributes:
        source, target: (P,) each combination of two symbols that occurs in one sentence pair, once.
        links: (N,) the combination of each link between two positions of a sentence pair.
        words: (N,) the target position of each link, numbered over the whole text.
    """

    source: np.ndarray
    target: np.ndarray
    links: np.ndarray
    words: np.ndarray


def shortlist(
    sources: list[np.ndarray],
    targets: list[np.ndarray],
    source_size: int,
    target_size: int,
    translations: int,
    frequent: int,
    always: list[int],
    iterations: int = ITERATIONS,
) -> list[np.ndarray]:
    """Words that may be written, for each source symbol, and at the end of the list for every sentence.

    Args:
        sources: token ids of sentences.
        targets: token ids of their translations.
        source_size: symbols of the source dictionary.
        target_size: symbols of the target dictionary.
        translations: the most target symbols of a source symbol.
        frequent: the most frequent target symbols, which every sentence may use.
        always: target symbols that every sentence may use besides (the end of sentence, a blank).
        iterations: of EM.

    Returns:
        ``source_size + 1`` ascending arrays of target symbols.
    """
    pairs = _pairs(sources, targets, target_size)
    probabilities = _model_1(pairs, source_size, iterations)
    order = np.lexsort((-probabilities, pairs.source))
    source = pairs.source[order]
    starts = np.searchsorted(source, np.arange(source_size + 1))
    best = [order[starts[i] : min(starts[i] + translations, starts[i + 1])] for i in range(source_size)]
    counts = np.bincount(np.concatenate(targets), minlength=target_size)
    common = np.argsort(-counts, kind="stable")[:frequent]
    return [*(np.sort(pairs.target[one]) for one in best), np.union1d(common, np.array(always, common.dtype))]


def _pairs(sources: list[np.ndarray], targets: list[np.ndarray], target_size: int) -> Pairs:
    keys, words, first = list[np.ndarray](), list[np.ndarray](), 0
    for source, target in zip(sources, targets, strict=True):
        keys.append((source[:, None].astype(np.int64) * target_size + target).ravel())
        words.append(np.tile(np.arange(first, first + len(target), dtype=np.int32), len(source)))
        first += len(target)
    found, links = np.unique(np.concatenate(keys), return_inverse=True)
    return Pairs(found // target_size, found % target_size, links.astype(np.int32), np.concatenate(words))


def _model_1(pairs: Pairs, source_size: int, iterations: int) -> np.ndarray:
    """p(target | source) of each combination."""
    probabilities = np.ones(len(pairs.source), np.float32)
    for _ in range(iterations):
        shares = probabilities[pairs.links]
        shares /= np.bincount(pairs.words, shares).astype(np.float32)[pairs.words]
        counts = np.bincount(pairs.links, shares, len(probabilities))
        probabilities = (counts / np.bincount(pairs.source, counts, source_size)[pairs.source]).astype(np.float32)
    return probabilities


def write_shortlist(folder: Path, data: Path, source: list[str], target: list[str], always: list[int]) -> Path:
    """Write ``shortlist.safetensors`` into an export, learned from the training set of a binarized folder.

    Args:
        folder: to write to.
        data: what fairseq-preprocess or ``vqnat distill`` wrote, best the text that the model was trained on.
        source: all source symbols of the model.
        target: all target symbols of the model.
        always: see :func:`shortlist`.

    Raises:
        UserError: no such folder or split, or other dictionaries than the model's.
    """
    from safetensors.numpy import save

    lists = learn(data, source, target, always)
    starts = np.cumsum([0, *map(len, lists)]).astype(np.int32)
    path = folder / FILE
    words = np.concatenate(lists).astype(np.int32)
    path.write_bytes(save({"starts": starts, "words": words}, {"format": FORMAT}))
    Shortlist.read(path, len(source), len(target))
    return path


def learn(data: Path, source: list[str], target: list[str], always: list[int]) -> list[np.ndarray]:
    """:func:`shortlist` of a binarized folder. Arguments and errors as of :func:`write_shortlist`."""
    try:
        split = open_split(data, "train")
    except UserError as error:
        raise UserError(f"--shortlist {data}: {error}") from error
    for language, symbols in ((split.source, source), (split.target, target)):
        if split.bitext.dictionary(language).symbols != symbols:
            name = split.bitext.dictionary_file(language).name
            raise UserError(f"--shortlist {data}: its {name} is not the model's")
    sides = [split.bitext.sentences("train", language) for language in (split.source, split.target)]
    links = int(np.prod([np.array(side.sizes, dtype=np.int64) for side in sides], axis=0).sum())
    step = max(1.0, links / MOST_LINKS)
    texts = [[np.asarray(side[int(row)]) for row in np.arange(0, len(side), step)] for side in sides]
    return shortlist(*texts, len(source), len(target), TRANSLATIONS, FREQUENT, always)
