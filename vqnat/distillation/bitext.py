"""The folder that fairseq-preprocess wrote: its languages, splits and dictionaries."""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from fairseq.data import Dictionary, data_utils

from vqnat.errors import UserError


@dataclass(frozen=True)
class Bitext:
    """One language pair of a binarised folder."""

    folder: Path
    source: str  # language code
    target: str
    pair: str  # as in the file names, "en-de"; may be the other way round than source and target

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

    def inputs(self) -> list[Path]:
        """Every file that the distilled train split depends on, besides the teacher."""
        return self.split_files("train") + [
            self.dictionary_file(lang) for lang in dict.fromkeys((self.source, self.target))
        ]

    def copied(self) -> list[Path]:
        """Everything that goes to the result as it is: valid, test, dictionaries and the like."""
        left_out = ("train", "preprocess.log", "distillation.json", ".")
        return sorted(p for p in self.folder.iterdir() if p.is_file() and not p.name.startswith(left_out))

    def dictionary(self, language: str) -> Dictionary:
        """The dictionary of a language, special symbols included."""
        return Dictionary.load(str(self.dictionary_file(language)))

    def sentences(self, split: str, language: str):
        """The sentences of one side, indexable, each a 1-d int64 tensor that ends in end-of-sentence."""
        return data_utils.load_indexed_dataset(str(self.file(split, language, "bin").with_suffix("")))

    def lengths(self, split: str) -> np.ndarray:
        """(N,) source lengths in tokens, with end-of-sentence."""
        dataset = self.sentences(split, self.source)  # its sizes are a view of a map that closes with it
        return np.array(dataset.sizes, dtype=np.int64)

    def held_out(self) -> list[str]:
        """The validation and test sets: ``valid``, ``valid1``, ``test`` and so on."""
        pattern = re.compile(rf"((?:valid|test)\d*)\.{re.escape(self.pair)}\.{re.escape(self.source)}\.idx")
        return sorted(found[1] for path in self.folder.iterdir() if (found := pattern.fullmatch(path.name)))


def open_bitext(folder: Path, source: str | None, target: str | None) -> Bitext:
    """Find the language pair and check that every needed file is there and fits the others.

    Raises:
        UserError: no folder, no train split, a side or a dictionary is missing, unequal sides.
    """
    if not folder.is_dir():
        raise UserError(f"{folder}: no such folder (DATA_BIN is what fairseq-preprocess --destdir wrote)")
    matches = [re.fullmatch(r"train\.(.+)-(.+)\..+\.idx", path.name) for path in folder.iterdir()]
    names = {(m[1], m[2]): f"{m[1]}-{m[2]}" for m in matches if m}
    if source is None and target is None and len(names) == 1:
        source, target = next(iter(names))
    elif source is None or target is None:
        if not names:
            raise UserError(f"{folder}: no train split (train.SOURCE-TARGET.SOURCE.idx and so on)")
        found = " ".join(sorted(names.values()))
        raise UserError(f"{folder}: give both --source-lang and --target-lang (pairs there: {found})")
    pair = names.get((source, target)) or names.get((target, source))
    if pair is None:
        found = " ".join(sorted(names.values())) or "none"
        raise UserError(f"{folder}: no train split for {source}-{target} (pairs there: {found})")
    bitext = Bitext(folder, source, target, pair)
    for path in bitext.inputs():
        if not path.is_file():
            raise UserError(f"{path}: no such file")
    if more := sorted(folder.glob(f"train[0-9]*.{pair}.*.idx")):
        raise UserError(f"{more[0]}: train splits in several parts are not supported; binarise them as one")
    check_split(bitext, "train")
    return bitext


def check_split(bitext: Bitext, split: str) -> None:
    """Raise UserError if a split is damaged or its sides are unequal."""
    try:
        sizes = [len(bitext.sentences(split, language)) for language in (bitext.source, bitext.target)]
    except Exception as error:  # fairseq asserts, numpy complains of the size
        raise UserError(f"{bitext.folder}: the {split} split is damaged ({type(error).__name__}: {error})") from error
    if sizes[0] != sizes[1]:
        sides = f"{sizes[0]} sentences in {bitext.source}, {sizes[1]} in {bitext.target}"
        raise UserError(f"{bitext.folder}: {split} has {sides}")
