"""What ``fairseq-generate`` and ``fairseq-interactive`` call for a parallel transformer without latents."""

from typing import Any

import torch
from fairseq.data import Dictionary
from torch import Tensor, nn

from vqnat.decoding.native_decoder import NativeDecoder
from vqnat.decoding.word_generator import WordGenerator
from vqnat.errors import UserError
from vqnat.models.parallel_transformer import ParallelTransformer
from vqnat.models.source_encoder import EncodedSource
from vqnat.output_layers.output_layer import Text


class ParallelGenerator(WordGenerator):
    """All words in one pass; one hypothesis per sentence, or several from a beam search over the graph of words.

    Args:
        model: the parallel transformer.
        dictionary: the target dictionary.
        beam: texts per sentence, for an output layer that searches for more than one.
        max_len_a, max_len_b: at most ``a * |x| + b`` target tokens (``--max-len-a``, ``--max-len-b``).
        native: the compiled engine with the model's weights.
        others: see :class:`WordGenerator`.
    """

    model: ParallelTransformer

    def __init__(
        self,
        model: ParallelTransformer,
        dictionary: Dictionary,
        beam: int = 1,
        length_penalty: float = 1.0,
        max_len_a: float = 0.0,
        max_len_b: int = 200,
        unk_penalty: float = 0.0,
        teacher: nn.Module | None = None,
        native: NativeDecoder | None = None,
    ):
        super().__init__(model, dictionary, length_penalty, unk_penalty, teacher, beam)
        self.native = native
        self.max_len_a, self.max_len_b = max_len_a, max_len_b

    def encode(self, source_tokens: Tensor) -> EncodedSource:
        """Source tokens (B, S) as vectors."""
        return self.model.encoder(source_tokens)

    def decode(self, source: EncodedSource, source_tokens: Tensor) -> list[list[Text]]:
        """The texts of each sentence."""
        return self.texts(*self.model.decode(source, source_tokens.ne(self.dictionary.pad())))

    def _cut(self, text: Text, limit: int) -> Text:
        """At most ``limit`` tokens and the end of sentence, which costs nothing then."""
        tokens, scores = text
        if len(tokens) <= limit + 1:
            return text
        return torch.cat([tokens[:limit], tokens[-1:]]), torch.cat([scores[:limit], scores.new_zeros(1)])

    @torch.no_grad()
    def generate(
        self,
        models: list[Any],
        sample: dict[str, Any],
        prefix_tokens: Tensor | None = None,
        constraints: Tensor | None = None,
        bos_token: int | None = None,
    ) -> list[list[dict[str, Any]]]:
        """For each sentence a list of hypotheses, best first, as fairseq's SequenceGenerator returns them."""
        if prefix_tokens is not None or constraints is not None:
            raise UserError("a parallel transformer decodes all words at once: no --prefix-size, no --constraints")
        self.model.eval()
        tokens, lengths = sample["net_input"]["src_tokens"], sample["net_input"]["src_lengths"]
        limits = (self.max_len_a * lengths + self.max_len_b).long().clamp(min=1).tolist()
        if self.native is None:
            found = self.decode(self.encode(tokens), tokens)
        else:
            found = [[text] for text in self.natively_written(self.native.write(tokens, lengths, False))]
        found = [[self._cut(text, limit) for text in texts] for texts, limit in zip(found, limits, strict=True)]
        if self.teacher is not None:
            found = self._rescored(sample, found)
        hypotheses = [[self.hypothesis(text) for text in texts] for texts in found]
        return [sorted(group, key=lambda h: -float(h["score"])) for group in hypotheses]

    def _rescored(self, sample: dict[str, Any], found: list[list[Text]]) -> list[list[Text]]:
        most = max(map(len, found))  # a graph may hold fewer texts than the beam
        filled = [texts + texts[-1:] * (most - len(texts)) for texts in found]
        device = sample["net_input"]["src_tokens"].device
        scores = [s.cpu() for s in self.rescore(sample, [text[0].to(device) for texts in filled for text in texts])]
        return [
            [(text[0], scores[row * most + place]) for place, text in enumerate(texts)]
            for row, texts in enumerate(found)
        ]
