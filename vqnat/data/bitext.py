"""A folder that fairseq-preprocess wrote: its languages, splits, sentences and dictionaries.

SPLIT.SOURCE-TARGET.LANGUAGE.bin, .idx    train.en-de.en.bin and so on
dict.LANGUAGE.txt                         one entry a line, without the 4 special symbols
"""

import re
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from fairseq.data import Dictionary, data_utils

from vqnat.data.intact import check_dictionaries, check_split_files
from vqnat.errors import UserError

Pair = tuple[str, str]  # source and target language
_INDEX = re.compile(r"([^.]+)\.([^.]+)\.([^.]+)\.idx")


@dataclass(frozen=True)
class Bitext:
    """One language pair of a binarized folder."""

    folder: Path
    source: str  # language code
    target: str
    pair: str  # as in the file names, "en-de"; may be the reverse of source and target

    def file(self, split: str, language: str, ending: str) -> Path:
        """``SPLIT.en-de.LANGUAGE.ENDING``; ending is ``bin`` or ``idx``."""
        return self.folder / f"{split}.{self.pair}.{language}.{ending}"

    def split_files(self, split: str, *languages: str) -> list[Path]:
        """The files of a split, of both sides unless ``languages`` says which."""
        sides = languages or (self.source, self.target)
        return [self.file(split, language, ending) for language in sides for ending in ("bin", "idx")]

    def dictionary_file(self, language: str) -> Path:
        """``dict.LANGUAGE.txt``."""
        return self.folder / f"dict.{language}.txt"

    def dictionary_files(self) -> list[Path]:
        """Those of both sides; one where source and target are the same language."""
        return [self.dictionary_file(language) for language in dict.fromkeys((self.source, self.target))]

    def dictionary(self, language: str) -> Dictionary:
        """The dictionary of a language, special symbols included."""
        return Dictionary.load(str(self.dictionary_file(language)))

    def sentences(self, split: str, language: str) -> Any:
        """The sentences of one side, indexable, each a 1-d int64 tensor that ends in end-of-sentence."""
        return data_utils.load_indexed_dataset(str(self.file(split, language, "bin").with_suffix("")))

    def lengths(self, split: str) -> np.ndarray:
        """(N,) source lengths in tokens, end-of-sentence included."""
        dataset = self.sentences(split, self.source)  # its sizes are a view of a memory map that closes with it
        return np.array(dataset.sizes, dtype=np.int64)

    def held_out(self) -> list[str]:
        """The validation and test sets: ``valid``, ``valid1``, ``test`` and so on."""
        pattern = re.compile(rf"((?:valid|test)\d*)\.{re.escape(self.pair)}\.{re.escape(self.source)}\.idx")
        return sorted(found[1] for path in self.folder.iterdir() if (found := pattern.fullmatch(path.name)))


@dataclass(frozen=True)
class Split:
    """One split of a bitext, such as the test set."""

    bitext: Bitext
    subset: str

    @property
    def folder(self) -> Path:
        """Where its files are."""
        return self.bitext.folder

    @property
    def source(self) -> str:
        """The source language."""
        return self.bitext.source

    @property
    def target(self) -> str:
        """The target language."""
        return self.bitext.target

    def file(self, language: str, ending: str) -> Path:
        """``test.en-de.LANGUAGE.ENDING``; ending is ``bin`` or ``idx``."""
        return self.bitext.file(self.subset, language, ending)

    def files(self) -> list[Path]:
        """All that the sentences depend on."""
        languages = (self.source, self.target)
        text = [self.file(language, "bin") for language in languages]
        return text + [self.bitext.dictionary_file(language) for language in languages]


def find_pairs(folder: Path) -> dict[str, set[Pair]]:
    """The language pairs of each split, as in the file names.

    The code of one of the two languages is in the name, so a code may hold a hyphen (``train.en-zh-CN.zh-CN.idx``).

    Raises:
        UserError: no such folder.
    """
    if not folder.is_dir():
        raise UserError(f"{folder}: no such folder (DATA_BIN is what fairseq-preprocess --destdir wrote)")
    found: dict[str, set[Pair]] = defaultdict(set)
    for match in filter(None, (_INDEX.fullmatch(path.name) for path in folder.iterdir())):
        split, pair, language = match.groups()
        if pair.startswith(f"{language}-"):
            found[split].add((language, pair.removeprefix(f"{language}-")))
        elif pair.endswith(f"-{language}"):
            found[split].add((pair.removesuffix(f"-{language}"), language))
    return dict(found)


def open_split(folder: Path, subset: str, source: str | None = None, target: str | None = None) -> Split:
    """Find the languages of a split.

    Args:
        folder: what fairseq-preprocess wrote.
        subset: name of the split.
        source: language code; None takes that of the file names, ``test.SOURCE-TARGET.``.
        target: likewise.

    Raises:
        UserError: no such folder, split or file; several languages to choose from.
    """
    found = find_pairs(folder)
    pairs = found.get(subset)
    if not pairs:
        there = ", ".join(sorted(found)) or "none"
        raise UserError(f"--gen-subset {subset}: not in {folder} (splits there: {there})")
    chosen = [
        (a, b) for pair in sorted(pairs) for a, b in (pair, pair[::-1]) if source in (a, None) and target in (b, None)
    ]
    if source is None and target is None:
        chosen = [pair for pair in chosen if pair in pairs]
    if len(chosen) != 1:
        raise UserError(
            f"--source-lang {source} --target-lang {target}: not one pair of {folder} (pairs there: {_named(pairs)})"
        )
    [(source, target)] = chosen
    pair = "-".join(chosen[0] if chosen[0] in pairs else chosen[0][::-1])
    split = Split(Bitext(folder, source, target, pair), subset)
    _require(split.files())
    check_dictionaries(folder)
    check_split_files(folder, subset)
    return split


def open_train_split(folder: Path, source: str | None, target: str | None) -> Bitext:
    """Find the language pair of the train split and check that its files are there and fit each other.

    Raises:
        UserError: no folder, no train split, a side or a dictionary is missing, sides of different length.
    """
    pairs = find_pairs(folder).get("train", set())
    if source is None and target is None and len(pairs) == 1:
        [(source, target)] = pairs
    elif source is None or target is None:
        if not pairs:
            raise UserError(f"{folder}: no train split (train.SOURCE-TARGET.SOURCE.idx and so on)")
        raise UserError(f"{folder}: give both --source-lang and --target-lang (pairs there: {_named(pairs)})")
    pair = next((found for found in ((source, target), (target, source)) if found in pairs), None)
    if pair is None:
        raise UserError(f"{folder}: no train split for {source}-{target} (pairs there: {_named(pairs) or 'none'})")
    bitext = Bitext(folder, source, target, "-".join(pair))
    _require([*bitext.split_files("train"), *bitext.dictionary_files()])
    check_dictionaries(bitext.folder)
    if more := sorted(folder.glob(f"train[0-9]*.{bitext.pair}.*.idx")):
        raise UserError(f"{more[0]}: train splits in several parts are not supported; binarize them as one")
    check_split(bitext, "train")
    return bitext


def check_split(bitext: Bitext, split: str) -> None:
    """Raise UserError if a split is damaged or its sides differ in length."""
    check_split_files(bitext.folder, split)
    try:
        sizes = [len(bitext.sentences(split, language)) for language in (bitext.source, bitext.target)]
    except Exception as error:  # fairseq asserts, numpy complains about the size
        raise UserError(f"{bitext.folder}: the {split} split is damaged ({type(error).__name__}: {error})") from error
    if sizes[0] != sizes[1]:
        sides = f"{sizes[0]} sentences in {bitext.source}, {sizes[1]} in {bitext.target}"
        raise UserError(f"{bitext.folder}: {split} has {sides}")


def _require(files: list[Path]) -> None:
    for path in files:
        if not path.is_file():
            raise UserError(f"{path}: no such file")


def _named(pairs: set[Pair]) -> str:
    return " ".join(sorted("-".join(pair) for pair in pairs))
