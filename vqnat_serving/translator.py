"""What all translators share: sentences in, translations out in the same order."""

import math
import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

from vqnat_serving.batches import batches_by_length
from vqnat_serving.errors import UserError
from vqnat_serving.hypothesis import Hypothesis
from vqnat_serving.pieces import Pieces
from vqnat_serving.vocabulary import BOS, EOS, PAD, Vocabulary

_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True)
class Decoded:
    """What a model wrote.

    Attributes:
        tokens: the end of sentence may be among them.
        score, codes: as in Hypothesis.
        spans: for each token the output positions (first, after the last) that wrote it, where the model tells.
        symbols: what each output position wrote before the output layer read it, where the model tells.
    """

    tokens: Sequence[int]
    score: float
    codes: tuple[int, ...] | None = None
    spans: Sequence[tuple[int, int]] = ()
    symbols: Sequence[int] = ()


class Translator(ABC):
    """Encodes sentences, decodes them in batches of similar length, and returns text in the order of the input.

    A sentence's translation does not depend on the others in its batch. An empty sentence has one translation, the
    empty one, for which no model is run.

    Args:
        source: source dictionary.
        target: target dictionary.
        pieces: the tokenizer of both sides.
        max_source_tokens: the longest source sentence that the model reads, its end included.
        max_tokens: source tokens times beam in one batch, pads included.
        max_sentences: the most sentences in one batch.
    """

    def __init__(
        self,
        source: Vocabulary,
        target: Vocabulary,
        pieces: Pieces,
        max_source_tokens: int,
        max_tokens: int = 1024,
        max_sentences: int = 64,
    ):
        for name, value in (("max_tokens", max_tokens), ("max_sentences", max_sentences)):
            if value < 1:
                raise UserError(f"{name} {value}: needed 1 or more")
        self.source, self.target, self.pieces = source, target, pieces
        self.max_source_tokens = max_source_tokens
        self.max_tokens, self.max_sentences = max_tokens, max_sentences

    @abstractmethod
    def decode_batch(self, sources: list[list[int]], beam: int, scored: bool = True) -> list[list[Decoded]]:
        """For each source (tokens with the end of sentence) at most ``beam`` results, best first.

        With a beam of 1 and without ``scored`` scores may be anything finite.
        """

    def translate(self, sentences: Sequence[str], beam: int = 1, n_best: int = 1) -> list[str] | list[list[str]]:
        """Plain text to plain text.

        Args:
            sentences: one text each.
            beam: candidates per sentence; with latents, code sequences.
            n_best: how many translations per sentence: 1 gives a text, more a list of up to so many, best first.

        Raises:
            UserError: a sentence is too long; not 1 <= n_best <= beam.
        """
        found = self.hypotheses(sentences, beam, n_best, scored=beam > 1)  # scores order the candidates
        if n_best == 1:
            return [one[0].text for one in found]
        return [[hypothesis.text for hypothesis in one] for one in found]

    def hypotheses(
        self, sentences: Sequence[str], beam: int = 1, n_best: int = 1, first_number: int = 1, scored: bool = True
    ) -> list[list[Hypothesis]]:
        """As :meth:`translate`, with scores, tokens and latents: up to ``n_best`` a sentence, best first.

        Args:
            sentences: one text each.
            beam: candidates per sentence.
            n_best: how many of them.
            first_number: what errors call the first sentence.
            scored: False: with a beam of 1 scores are not wanted, and not computed where that takes time.
        """
        if not 1 <= n_best <= beam:
            raise UserError(f"beam {beam}, n_best {n_best}: needed 1 <= n_best <= beam")
        sources = self.encode_all(sentences, first_number)
        # Empty ones stay as they are.
        results = [[Hypothesis("", (), 0.0)] for _ in sources]
        filled = [index for index, tokens in enumerate(sources) if len(tokens) > 1]
        decoded_rows = self.decode([sources[row] for row in filled], beam, scored)
        for row, decoded in zip(filled, decoded_rows, strict=True):
            results[row] = [self.hypothesis(one) for one in self.candidates(decoded)[:n_best]]
        return results

    @staticmethod
    def candidates(decoded: list[Decoded]) -> list[Decoded]:
        """Those of a beam that are there: one wider than there are candidates has places that nothing took."""
        return [one for one in decoded if math.isfinite(one.score)] or decoded[:1]

    def decode(self, sources: Sequence[list[int]], beam: int, scored: bool = True) -> list[list[Decoded]]:
        """As :meth:`decode_batch`, for any number of sentences in any order: in batches of similar length."""
        results: list[list[Decoded]] = [[] for _ in sources]
        lengths = [len(tokens) for tokens in sources]
        for batch in batches_by_length(lengths, self.max_tokens // beam, self.max_sentences):
            decoded_rows = self.decode_batch([sources[row] for row in batch], beam, scored)
            for row, decoded in zip(batch, decoded_rows, strict=True):
                results[row] = decoded
        return results

    def encode(self, sentence: str) -> list[int]:
        """Tokens of one text, the end of sentence last; any white space is one space.

        Raises:
            UserError: half of a surrogate pair, which is no character (from bytes that are not UTF-8, or from JSON);
                more tokens than the model reads. The message goes on after the name of the text.
        """
        if (found := _SURROGATE.search(sentence)) is not None:
            half = f"half of a surrogate pair, U+{ord(found[0]):04X}, at character {found.start()}"
            raise UserError(f"is not text: {half}")
        tokens = self.source.encode(self.pieces.encode(" ".join(sentence.split())))
        if len(tokens) > self.max_source_tokens:
            most = f"the model reads at most {self.max_source_tokens}"
            raise UserError(f"has {len(tokens)} tokens, its end included; {most}")
        return tokens

    def encode_all(self, sentences: Sequence[str], first_number: int = 1) -> list[list[int]]:
        """As :meth:`encode`, of each sentence. Raises UserError: one is too long, or it is one text, not a list."""
        if isinstance(sentences, str):
            raise UserError("translate needs a list of sentences, not one text")
        sources = []
        for number, sentence in enumerate(sentences, first_number):
            try:
                sources.append(self.encode(sentence))
            except UserError as error:
                raise UserError(f"sentence {number} {error}") from error
        return sources

    def hypothesis(self, decoded: Decoded) -> Hypothesis:
        """Text, score and codes of what a model wrote."""
        tokens = tuple(token for token in decoded.tokens if token not in (BOS, PAD, EOS))
        text = self.pieces.decode(self.target.decode(tokens))
        return Hypothesis(text, tokens, decoded.score, decoded.codes)
