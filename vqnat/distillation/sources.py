"""Everything that the teacher translates, numbered consecutively: train split, validation set, extra lines."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from vqnat.data.bitext import Bitext, check_split
from vqnat.distillation.distill_options import Options
from vqnat.distillation.source_text import SourceText, read_source_text
from vqnat.errors import UserError

DISTILLED_VALID = "valid1"  # fairseq's name for a second validation set


@dataclass(frozen=True)
class Sources:
    """Sentence i of a distillation: of train, then of valid with ``--valid-too``, then of ``--source-text``."""

    bitext: Bitext
    with_valid: bool
    text: SourceText | None

    @cached_property
    def parts(self) -> tuple[range, range, range]:
        """The sentences of train, valid and the extra text."""
        sizes = [
            len(self.bitext.lengths("train")),
            len(self.bitext.lengths("valid")) if self.with_valid else 0,
            len(self.text.lengths) if self.text else 0,
        ]
        ends = np.cumsum(sizes).tolist()
        return tuple(range(end - size, end) for size, end in zip(sizes, ends, strict=True))

    @cached_property
    def lengths(self) -> np.ndarray:
        """(N,) source lengths in tokens, end-of-sentence included."""
        parts = [self.bitext.lengths("train")]
        parts += [self.bitext.lengths("valid")] if self.with_valid else []
        parts += [self.text.lengths] if self.text else []
        return np.concatenate(parts)


def open_sources(options: Options, bitext: Bitext) -> Sources:
    """Read everything there is to translate; the same in every process. Raises UserError."""
    text = read_source_text(options, bitext) if options.source_text else None
    return Sources(bitext, options.valid_too, text)


def check_sources(options: Options, bitext: Bitext) -> None:
    """Raise UserError for missing or conflicting files, before anything is read."""
    if options.source_text and not options.source_text.is_file():
        raise UserError(f"--source-text {options.source_text}: no such file")
    if options.valid_too:
        for path in bitext.split_files("valid"):
            if not path.is_file():
                raise UserError(f"--valid-too: {path}: no such file")
        check_split(bitext, "valid")
        if DISTILLED_VALID in bitext.held_out():
            raise UserError(f"--valid-too: {bitext.folder} has a split {DISTILLED_VALID} already")
