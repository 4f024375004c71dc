"""Symbols and their numbers, as in fairseq's dictionaries."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from vqnat_serving.errors import UserError

SPECIALS = ("<s>", "<pad>", "</s>", "<unk>")
BOS, PAD, EOS, UNK = range(4)


class Vocabulary:
    """All symbols of a dictionary in order, the four special ones first."""

    def __init__(self, symbols: Iterable[str]):
        self.symbols = tuple(symbols)
        if self.symbols[:4] != SPECIALS:
            raise UserError(f"the dictionary begins with {self.symbols[:4]}, not with {SPECIALS}")
        self._index = {symbol: index for index, symbol in enumerate(self.symbols)}

    def __len__(self) -> int:
        return len(self.symbols)

    @classmethod
    def read(cls, path: Path) -> "Vocabulary":
        """Read a ``dict.*.txt``: a symbol and its count per line, no duplicates.

        Raises:
            UserError: no such file, or a line that is something else.
        """
        try:
            # Not read_text, for which a carriage return ends a line too.
            lines = path.read_bytes().decode("utf-8").removesuffix("\n").split("\n")
        except (OSError, UnicodeDecodeError) as error:
            raise UserError(f"{path}: no readable dictionary ({type(error).__name__})") from error
        symbols = list(SPECIALS)
        for number, line in enumerate(lines, 1):
            # fairseq marks a symbol that replaces a special one of the same name; its exports have none.
            symbol, space, count = line.removesuffix("\r").rpartition(" ")
            if not space or not count.isdecimal():
                raise UserError(f"{path}, line {number}: needed a symbol, a space and a count, found {line[:40]!r}")
            symbols.append(symbol)
        return cls(symbols)

    def encode(self, pieces: Sequence[str]) -> list[int]:
        """Numbers of the pieces, unknown ones as UNK, and the end of sentence."""
        return [*(self._index.get(piece, UNK) for piece in pieces), EOS]

    def decode(self, tokens: Iterable[int]) -> list[str]:
        """Pieces of the tokens. Raises UserError for one that the dictionary does not have."""
        tokens = list(tokens)
        for token in tokens:
            if not 0 <= token < len(self.symbols):
                known = f"the dictionary has {len(self.symbols)} symbols"
                raise UserError(f"the model wrote symbol {token}, {known}: they do not belong together")
        return [self.symbols[token] for token in tokens]
