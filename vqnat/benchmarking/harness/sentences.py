"""The test set: read it, filter it, sample it, make batches."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fairseq.data import Dictionary, data_utils

from vqnat.benchmarking.system import Batch
from vqnat.errors import UserError


@dataclass(frozen=True)
class Sentence:
    """One line of the test set, counted from 0; words are counted after joining subwords."""

    id: int
    source: tuple[int, ...]
    source_words: int
    target_words: int
    target_tokens: int  # of the reference, without end of sentence


@dataclass(frozen=True)
class TestSet:
    """A split in fairseq's binary format."""

    __test__ = False  # or pytest collects it

    folder: Path
    subset: str
    source: str  # language code
    target: str
    pair: str  # as in the file names, possibly reversed

    def file(self, language: str, ending: str) -> Path:
        """``test.en-de.LANGUAGE.ENDING``; ending is ``bin`` or ``idx``."""
        return self.folder / f"{self.subset}.{self.pair}.{language}.{ending}"

    def files(self) -> list[Path]:
        """All files that the sentences depend on."""
        languages = (self.source, self.target)
        text = [self.file(language, "bin") for language in languages]
        return text + [self.folder / f"dict.{language}.txt" for language in languages]


def open_test_set(folder: Path, subset: str, source: str | None, target: str | None) -> TestSet:
    """Find the languages of a split.

    Args:
        folder: folder written by fairseq-preprocess.
        subset: name of the split.
        source: language code; None takes it from the file names, ``test.SOURCE-TARGET.``.
        target: likewise.

    Raises:
        UserError: the folder, split or language pair does not exist or is ambiguous.
    """
    if not folder.is_dir():
        raise UserError(f"{folder}: no such folder (DATA_BIN is what fairseq-preprocess --destdir wrote)")
    splits = [re.fullmatch(r"(\w+)\.([^.-]+)-([^.-]+)\.[^.]+\.idx", path.name) for path in folder.iterdir()]
    found = {match[1] for match in splits if match}
    pairs = {(match[2], match[3]) for match in splits if match and match[1] == subset}
    if not pairs:
        there = ", ".join(sorted(found)) or "none"
        raise UserError(f"--gen-subset {subset}: not in {folder} (splits there: {there})")
    chosen = [
        (a, b) for pair in sorted(pairs) for a, b in (pair, pair[::-1]) if source in (a, None) and target in (b, None)
    ]
    if source is None and target is None:
        chosen = [pair for pair in chosen if pair in pairs]
    if len(chosen) != 1:
        there = " ".join(sorted("-".join(pair) for pair in pairs))
        raise UserError(
            f"--source-lang {source} --target-lang {target}: not one pair of {folder} (pairs there: {there})"
        )
    [(source, target)] = chosen
    pair = "-".join(chosen[0] if chosen[0] in pairs else chosen[0][::-1])
    test_set = TestSet(folder, subset, source, target, pair)
    for path in test_set.files():
        if not path.is_file():
            raise UserError(f"{path}: no such file")
    return test_set


def read_dictionary(test_set: TestSet, side: str) -> Dictionary:
    """The dictionary of the side ``source`` or ``target``."""
    return Dictionary.load(str(test_set.folder / f"dict.{getattr(test_set, side)}.txt"))


def read_sentences(test_set: TestSet) -> list[Sentence]:
    """All sentences of a split, in order.

    Raises:
        UserError: a file is damaged, or the sides do not match.
    """
    try:
        sides = []
        for language in (test_set.source, test_set.target):
            dictionary = Dictionary.load(str(test_set.folder / f"dict.{language}.txt"))
            dataset = data_utils.load_indexed_dataset(str(test_set.file(language, "bin").with_suffix("")))
            sides.append([(tokens.tolist(), _words(dictionary, tokens)) for tokens in dataset])
    except Exception as error:  # fairseq asserts, numpy and mmap raise errors of their own
        reason = " ".join(str(error).split())
        raise UserError(
            f"--gen-subset {test_set.subset}: damaged in {test_set.folder} ({type(error).__name__}: {reason})"
        ) from error
    if len(sides[0]) != len(sides[1]):
        raise UserError(
            f"--gen-subset {test_set.subset}: {len(sides[0])} sentences in {test_set.source}, "
            f"{len(sides[1])} in {test_set.target}"
        )
    return [
        Sentence(number, tuple(source), source_words, target_words, len(target) - 1)
        for number, ((source, source_words), (target, target_words)) in enumerate(zip(*sides, strict=True))
    ]


def _words(dictionary: Dictionary, tokens) -> int:
    text = dictionary.string(tokens)
    pieces = "sentencepiece" if "▁" in text else "subword_nmt"  # leaves text without "@@ " unchanged
    return len(data_utils.post_process(text, pieces).split())


def choose(sentences: Sequence[Sentence], min_source_words: int = 0, min_target_words: int = 0) -> list[Sentence]:
    """Sentences that are long enough, sorted by source length.

    Raises:
        UserError: nothing is left.
    """
    kept = [s for s in sentences if s.source_words >= min_source_words and s.target_words >= min_target_words]
    if not kept:
        source = max((s.source_words for s in sentences), default=0)
        target = max((s.target_words for s in sentences), default=0)
        raise UserError(
            f"--min-source-words {min_source_words} --min-target-words {min_target_words}: nothing left of "
            f"{len(sentences)} sentences (longest: {source} source words, {target} target words)"
        )
    return sorted(kept, key=lambda sentence: (len(sentence.source), sentence.id))


def batches(
    sentences: Sequence[Sentence], size: int, count: int | None = None, force_lengths: bool = False
) -> list[Batch]:
    """Group sentences of similar length, as when a whole test set is translated.

    Args:
        sentences: sorted by length.
        size: sentences per batch.
        count: number of sentences, rounded up to whole batches, sampled evenly over the lengths; None takes all.
        force_lengths: force all outputs of a batch to the mean length of its references. One length per batch is
            what all systems can be made to write.
    """
    groups = [sentences[start : start + size] for start in range(0, len(sentences), size)]
    if count is not None and count < len(sentences):
        some = -(-count // size)
        groups = [groups[(2 * n + 1) * len(groups) // (2 * some)] for n in range(some)]  # middles of equal parts
    return [
        Batch(
            tuple(s.id for s in group),
            tuple(s.source for s in group),
            max(1, round(sum(s.target_tokens for s in group) / len(group))) if force_lengths else None,
        )
        for group in groups
    ]
