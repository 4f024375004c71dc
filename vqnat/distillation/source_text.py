"""Monolingual source text: which of its lines the teacher translates, split into subwords."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from fairseq.data import Dictionary

from vqnat.data.bitext import Bitext
from vqnat.distillation.distill_options import Options
from vqnat.errors import UserError
from vqnat_serving.pieces import Pieces
from vqnat_serving.vocabulary import Vocabulary

COUNTS = ("lines", "dropped_blank", "dropped_in_valid_or_test", "dropped_in_train", "dropped_repeated")


@dataclass(frozen=True)
class SourceText:
    """The lines that are new to the data, in the order of the file, binarized as fairseq-preprocess does."""

    path: Path
    numbers: np.ndarray  # (E,) line in the file, from 1
    lengths: np.ndarray  # (E,) tokens, with end-of-sentence
    tokens: np.ndarray  # (sum of lengths,) int32
    counts: dict[str, int]

    def __getitem__(self, line: int) -> np.ndarray:
        """(length,) int64 tokens."""
        end = int(self._ends[line])
        return self.tokens[end - int(self.lengths[line]) : end].astype(np.int64)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_ends", np.cumsum(self.lengths, dtype=np.int64))

    def summary(self) -> str:
        """How many lines are new and why others were dropped, in one line."""
        dropped = {key: count for key, count in self.counts.items() if key.startswith("dropped_") and count}
        why = ", ".join(f"{count} {key.removeprefix('dropped_').replace('_', ' ')}" for key, count in dropped.items())
        text = f"{self.path}: {self.counts['lines']} lines, {len(self.lengths)} new"
        return f"{text} (dropped: {why})" if why else text


def find_pieces(options: Options, bitext: Bitext) -> tuple[Pieces, Path | None]:
    """What splits text into the subwords of the source dictionary, and the file of its model.

    Raises:
        UserError: the model is missing, unreadable or of the wrong kind.
    """
    from vqnat.hub.subwords import build_pieces  # imports models: only if there is text to split

    vocabulary = Vocabulary.read(bitext.dictionary_file(bitext.source))
    folders = [options.data, options.data.resolve().parent]  # vqnat.data.binarize writes spm.model above bin/
    languages = (bitext.source, bitext.target)
    pieces, model = build_pieces(options.bpe, options.bpe_model, None, languages, vocabulary, folders)
    return pieces, model or options.bpe_model


def read_source_text(options: Options, bitext: Bitext) -> SourceText:
    """Read ``--source-text`` and drop what the data already has.

    Lines are compared without case and spaces. Of the data's text only what its subwords spell is known: a line with
    unknown subwords equals one with ``<unk>`` in their places.

    Raises:
        UserError: the file is missing, empty or not UTF-8, its subwords are not those of the dictionary, or no
            line of it is new.
    """
    path = options.source_text
    pieces, _ = find_pieces(options, bitext)
    dictionary = bitext.dictionary(bitext.source)
    lines = read_lines(path)
    held_out = {text for split in bitext.held_out() for text in spelled(bitext, split, dictionary, pieces)}
    train, seen = set(spelled(bitext, "train", dictionary, pieces)), set()
    counts = dict.fromkeys(COUNTS, 0)
    numbers, lengths, tokens = [], [], []
    for number, line in enumerate(lines, 1):
        counts["lines"] += 1
        words = " ".join(line.split())
        if not words:
            counts["dropped_blank"] += 1
            continue
        ids = dictionary.encode_line(" ".join(pieces.encode(words)), add_if_not_exist=False).numpy()
        texts = {words.casefold()}
        if dictionary.unk() in ids:  # the form in which the data's own text is known
            texts.add(spell(ids, dictionary, pieces))
        if not held_out.isdisjoint(texts):
            counts["dropped_in_valid_or_test"] += 1
        elif not train.isdisjoint(texts):
            counts["dropped_in_train"] += 1
        elif words.casefold() in seen:
            counts["dropped_repeated"] += 1
        else:
            seen.add(words.casefold())
            numbers.append(number)
            lengths.append(len(ids))
            tokens.append(ids.astype(np.int32))
    if not numbers:
        raise UserError(f"--source-text {path}: none of its {counts['lines']} lines is new to {bitext.folder}")
    flat = np.concatenate(tokens)
    _check_unknown(path, bitext, flat, dictionary)
    counts["tokens"] = len(flat)
    counts["unknown_tokens"] = int((flat == dictionary.unk()).sum())
    return SourceText(path, np.array(numbers), np.array(lengths, dtype=np.int64), flat, counts)


def read_lines(path: Path) -> list[str]:
    """The lines of a text file; only a line feed ends one. Raises UserError."""
    content = path.read_bytes()
    if not content.strip():
        raise UserError(f"--source-text {path}: empty")
    try:
        return content.decode("utf-8").removeprefix("\ufeff").removesuffix("\n").split("\n")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise UserError(f"--source-text {path}: not UTF-8 in line {line} (byte {error.start})") from None


def spell(ids: np.ndarray, dictionary: Dictionary, pieces: Pieces) -> str:
    """The text of a binarized sentence for comparison, without case and extra spaces."""
    symbols = [dictionary[int(token)] for token in ids if token != dictionary.eos()]
    return " ".join(pieces.decode(symbols).split()).casefold()


def spelled(bitext: Bitext, split: str, dictionary: Dictionary, pieces: Pieces) -> Iterator[str]:
    """``spell`` of every source sentence of a split."""
    sentences = bitext.sentences(split, bitext.source)
    return (spell(sentences[i].numpy(), dictionary, pieces) for i in range(len(sentences)))


def _check_unknown(path: Path, bitext: Bitext, tokens: np.ndarray, dictionary: Dictionary) -> None:
    words = tokens[tokens != dictionary.eos()]
    unknown = float((words == dictionary.unk()).mean()) if len(words) else 0.0
    if unknown > 0.5:
        raise UserError(
            f"--source-text {path}: {100 * unknown:.0f} % of its pieces are not in "
            f"{bitext.dictionary_file(bitext.source)}; it must be split as the data was (--bpe, --bpe-model)"
        )
