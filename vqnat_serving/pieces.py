"""From text to subword pieces and back."""

from collections.abc import Sequence
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Protocol

import sentencepiece

from vqnat_serving.errors import UserError


class Pieces(Protocol):
    """What a translator asks of a tokenizer."""

    def encode(self, sentence: str) -> list[str]:
        """Pieces of one sentence."""
        ...

    def decode(self, pieces: Sequence[str]) -> str:
        """Text of pieces."""
        ...


class AlignedPieces(Pieces, Protocol):
    """A tokenizer that tells which characters a piece became."""

    def decode_aligned(self, pieces: Sequence[str]) -> tuple[str, list[tuple[int, int]]]:
        """As :meth:`decode`, and the characters (first, after the last) of each piece."""
        ...


class SentencePieces:
    """A sentencepiece model.

    Raises:
        UserError: no such file, or not a model.
    """

    def __init__(self, path: Path):
        if not path.is_file():
            raise UserError(f"{path}: no such sentencepiece model")
        try:
            self._processor = sentencepiece.SentencePieceProcessor(model_file=str(path))
            self._processor.encode("", out_type=str)
        except (RuntimeError, OSError, ValueError) as error:
            raise UserError(f"{path}: not a sentencepiece model") from error

    def encode(self, sentence: str) -> list[str]:
        """Pieces of one sentence."""
        pieces: list[str] = self._processor.encode(sentence, out_type=str)
        return pieces

    def decode(self, pieces: Sequence[str]) -> str:
        """Text of pieces."""
        text: str = self._processor.decode(list(pieces))
        return text

    def decode_aligned(self, pieces: Sequence[str]) -> tuple[str, list[tuple[int, int]]]:
        """As :meth:`decode`, and the characters (first, after the last) of each piece."""
        # Each piece adds to the text of those before it; sentencepiece's own offsets differ between its versions.
        ends = [len(self.decode(pieces[:count])) for count in range(len(pieces) + 1)]
        return self.decode(pieces), list(pairwise(accumulate(ends, max)))


class Words:
    """Text that is already in pieces: split and joined at spaces only."""

    def encode(self, sentence: str) -> list[str]:
        """Words of one sentence."""
        return sentence.split()

    def decode(self, pieces: Sequence[str]) -> str:
        """Words with spaces."""
        return " ".join(pieces)

    def decode_aligned(self, pieces: Sequence[str]) -> tuple[str, list[tuple[int, int]]]:
        """As :meth:`decode`, and the characters (first, after the last) of each word."""
        spans, start = [], 0
        for piece in pieces:
            spans.append((start, start + len(piece)))
            start += len(piece) + 1
        return self.decode(pieces), spans
