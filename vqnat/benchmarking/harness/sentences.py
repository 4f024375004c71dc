"""The test set: read it, filter it, sample it, make batches."""

from collections.abc import Sequence
from dataclasses import dataclass

from fairseq.data import Dictionary, data_utils
from torch import Tensor

from vqnat.benchmarking.system import Batch
from vqnat.data.bitext import Split as TestSet
from vqnat.data.bitext import open_split as open_test_set  # noqa: F401  (for the users of this module)
from vqnat.errors import UserError


@dataclass(frozen=True)
class Sentence:
    """One line of the test set, counted from 0; words are counted after joining subwords."""

    id: int
    source: tuple[int, ...]
    source_words: int
    target_words: int
    target_tokens: int  # of the reference, without end of sentence


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


def joined(dictionary: Dictionary, tokens: Tensor) -> str:
    """Tokens as text, sentencepiece's or subword-nmt's subwords joined."""
    text = dictionary.string(tokens)
    pieces = "sentencepiece" if "▁" in text else "subword_nmt"  # leaves text without "@@ " unchanged
    return data_utils.post_process(text, pieces)


def _words(dictionary: Dictionary, tokens: Tensor) -> int:
    return len(joined(dictionary, tokens).split())


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
