"""Which codes wrote which words.

A code stands for 2^nc target positions, and an upsampling output layer gives each of these several. What a position
wrote is kept by the output layer or not (repeats and blanks, vertices off the path, words after the end); kept pieces
become words. So each word can be followed back to the codes at whose positions it was written. Every position reads
every other and the source, so this tells where a word was written, not everything that it depends on.
"""

import re
from dataclasses import dataclass

from vqnat_serving.description import Description
from vqnat_serving.pieces import AlignedPieces
from vqnat_serving.translator import Decoded
from vqnat_serving.vocabulary import BOS, EOS, PAD, Vocabulary


@dataclass(frozen=True)
class Word:
    """A word of a translation.

    Attributes:
        text: without spaces.
        start, end: its characters in the translation, the end exclusive.
        codes: places, from 0, of the codes that wrote its pieces; empty without latents.
    """

    text: str
    start: int
    end: int
    codes: tuple[int, ...]


@dataclass(frozen=True)
class Position:
    """An output position.

    Attributes:
        piece: what it wrote: a piece, or a special symbol such as ``<s>``, CTC's blank.
        code: place of its code; None without latents.
        kept: whether what it wrote is in the text: no repeat, no blank, not off the path, not after the end.
    """

    piece: str
    code: int | None
    kept: bool


@dataclass(frozen=True)
class Alignment:
    """How a translation was written."""

    words: tuple[Word, ...]
    positions: tuple[Position, ...]


def align(decoded: Decoded, about: Description, vocabulary: Vocabulary, pieces: AlignedPieces) -> Alignment:
    """Follow words back to codes.

    Args:
        decoded: what the model wrote, spans and symbols included.
        about: gives positions for a code.
        vocabulary: the target's.
        pieces: the tokenizer that joins pieces.
    """
    above, below = about.upsample
    places = [
        position * below // above // about.stride if about.latents else None for position in range(len(decoded.symbols))
    ]
    kept = [
        (token, span) for token, span in zip(decoded.tokens, decoded.spans, strict=True) if token not in (BOS, PAD, EOS)
    ]
    read = {first for _, (first, _) in kept}  # a repeat belongs to the word that it repeats, and adds nothing
    positions = tuple(
        Position(piece, place, position in read)
        for position, (piece, place) in enumerate(zip(vocabulary.decode(decoded.symbols), places, strict=True))
    )
    text, characters = pieces.decode_aligned(vocabulary.decode(token for token, _ in kept))
    words = []
    for word in re.finditer(r"\S+", text):
        wrote = {
            place
            for (start, end), (_, span) in zip(characters, kept, strict=True)
            if start < word.end() and end > word.start()
            for place in places[slice(*span)]
            if place is not None
        }
        words.append(Word(word.group(), word.start(), word.end(), tuple(sorted(wrote))))
    return Alignment(tuple(words), positions)
