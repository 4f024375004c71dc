"""Parallel text without the pairs that harm a training: by length, ratio, language, and duplicates, each counted.

Memory grows with the number of pairs by a 16-byte digest each, kept in a set; everything else streams.
"""

import hashlib
import multiprocessing
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

Pair = tuple[str, str]
CHUNK = 5000  # pairs that a process judges at a time
REASONS = ("empty", "too_long", "ratio", "language", "duplicate", "held_out")


@dataclass(frozen=True)
class Limits:
    """What a pair must keep; words are what stands between spaces.

    Args:
        max_words: of either side.
        max_ratio: words of the longer side over those of the shorter, where one has more than 5.
        languages: of the sides, such as ("en", "de"); text that was not translated goes. None: not
            checked.
        moses: tokenize with sacremoses as these languages, punctuation normalized; None: text as it is.
    """

    max_words: int = 250
    max_ratio: float = 2.0
    languages: tuple[str, str] | None = None
    moses: tuple[str, str] | None = None


class Judge:
    """Cleans and judges pairs."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.identify = self._identifier() if limits.languages else None
        self.tokenize = [self._tokenizer(language) for language in limits.moses or ()]

    def _identifier(self):
        import py3langid

        # It only has to tell the two apart: among all its languages it would take names for many of them.
        py3langid.set_languages(list(self.limits.languages))
        return lambda text: py3langid.classify(text)[0]

    def _tokenizer(self, language: str):
        from sacremoses import MosesPunctNormalizer, MosesTokenizer

        normalize, tokenize = MosesPunctNormalizer(language).normalize, MosesTokenizer(language).tokenize
        return lambda text: tokenize(normalize(text), return_str=True, escape=False)

    def __call__(self, pair: Pair) -> tuple[Pair, str]:
        """The pair with single spaces, and why it goes; an empty reason if it stays."""
        sides = [" ".join(text.split()) for text in pair]
        if not all(sides):
            return (sides[0], sides[1]), "empty"
        few, many = sorted(len(text.split()) for text in sides)
        if many > self.limits.max_words:
            return (sides[0], sides[1]), "too_long"
        if many > 5 and many > self.limits.max_ratio * few:
            return (sides[0], sides[1]), "ratio"
        # Short sentences are names and numbers, which are of any language.
        if self.identify and many > 5:
            for text, language in zip(sides, self.limits.languages or (), strict=True):
                if self.identify(text) != language:
                    return (sides[0], sides[1]), "language"
        if self.tokenize:
            sides = [tokenize(text) for tokenize, text in zip(self.tokenize, sides, strict=True)]
        return (sides[0], sides[1]), ""


def digest(pair: Pair) -> bytes:
    """Sixteen bytes that two pairs share only if they are the same, ignoring case."""
    return hashlib.blake2b("\t".join(pair).casefold().encode(), digest_size=16).digest()


def clean(
    pairs: Iterable[Pair], limits: Limits, counts: Counter[str], held_out: frozenset[bytes] = frozenset(), jobs: int = 1
) -> Iterator[Pair]:
    """The pairs that stay, in their order; the first of equal ones.

    Args:
        pairs: raw.
        limits: what they must keep.
        counts: counts ``read``, each of :data:`REASONS` and ``kept``.
        held_out: digests of pairs of other splits, which must not be among these.
        jobs: processes that judge.
    """
    seen: set[bytes] = set()
    for judged in _judged(_chunks(pairs), limits, jobs):
        for pair, reason in judged:
            counts["read"] += 1
            if not reason:
                key = digest(pair)
                reason = "held_out" if key in held_out else "duplicate" if key in seen else ""
                seen.add(key)
            counts[reason or "kept"] += 1
            if not reason:
                yield pair


def _chunks(pairs: Iterable[Pair]) -> Iterator[list[Pair]]:
    source = iter(pairs)
    while chunk := list(islice(source, CHUNK)):
        yield chunk


_judge: Judge


def _start(limits: Limits) -> None:
    global _judge
    _judge = Judge(limits)


def _judge_chunk(chunk: list[Pair]) -> list[tuple[Pair, str]]:
    return [_judge(pair) for pair in chunk]


def _judged(chunks: Iterator[list[Pair]], limits: Limits, jobs: int) -> Iterator[list[tuple[Pair, str]]]:
    if jobs == 1:
        _start(limits)
        yield from map(_judge_chunk, chunks)
        return
    with multiprocessing.get_context("fork").Pool(jobs, _start, (limits,)) as pool:
        # A few chunks at a time: imap would read the whole text into its queue.
        while batch := list(islice(chunks, 4 * jobs)):
            yield from pool.imap(_judge_chunk, batch)
