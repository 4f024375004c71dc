"""What ``fairseq-generate`` and ``fairseq-interactive`` call for a latent transformer."""

from typing import Any

import torch
from fairseq.data import Dictionary
from torch import Tensor, nn

from vqnat.decoding.latent_search import CodeSequences, beam_codes, greedy_codes
from vqnat.decoding.native_decoder import NativeDecoder
from vqnat.decoding.word_generator import WordGenerator
from vqnat.errors import UserError
from vqnat.models.code_training import code_table
from vqnat.models.latent_transformer import LatentTransformer
from vqnat.models.source_encoder import EncodedSource
from vqnat.output_layers.output_layer import Text
from vqnat_serving.code_lengths import codes_for


class LatentGenerator(WordGenerator):
    """Codes by greedy or beam search, then all words of each candidate in one pass.

    With a beam of n codes, n candidates are decoded; they are ordered by the model's own
    (log p(codes | x) + log p(y | codes, x)) / |y|^lenpen, or by the teacher's log p(y | x) / |y|^lenpen when
    there is one.

    Args:
        model: the latent transformer.
        dictionary: the target dictionary.
        beam: candidates per sentence (``--beam``); 1 is greedy.
        length_penalty: ``--lenpen``.
        max_len_a, max_len_b: at most ``a * |x| + b`` target tokens (``--max-len-a``, ``--max-len-b``).
        unk_penalty: subtracted from the unknown word's log-probability (``--unkpen``).
        teacher: an autoregressive model that reorders the candidates (``--rescore-with``).
        word_beam: texts kept in a beam search over a graph of words (``--dag-beam``).
        by_helper: the model's own autoregressive helper reorders them (``--rescore-with helper``).
        native: the compiled engine with the model's weights; then ``beam`` must be 1.
    """

    model: LatentTransformer

    def __init__(
        self,
        model: LatentTransformer,
        dictionary: Dictionary,
        beam: int = 1,
        length_penalty: float = 1.0,
        max_len_a: float = 0.0,
        max_len_b: int = 200,
        unk_penalty: float = 0.0,
        teacher: nn.Module | None = None,
        word_beam: int = 1,
        by_helper: bool = False,
        native: NativeDecoder | None = None,
    ):
        super().__init__(model, dictionary, length_penalty, unk_penalty, teacher, word_beam)
        self.beam, self.max_len_a, self.max_len_b = beam, max_len_a, max_len_b
        self.by_helper, self.native = by_helper, native

    def encode(self, source_tokens: Tensor) -> EncodedSource:
        """Source tokens (B, S) as vectors."""
        return self.model.encoder(source_tokens)

    def code_limits(self, source_lengths: Tensor) -> Tensor:
        """The most codes (B,) that each sentence may have, from source lengths in tokens (B,)."""
        model = self.model
        if model.config.length_mode == "ratio":
            return model.num_codes(source_lengths)
        tokens = (self.max_len_a * source_lengths + self.max_len_b).long().clamp(min=1)
        return codes_for(tokens, model.stride).clamp(max=model.max_codes)

    def table(self) -> Tensor | None:
        """The vectors (K, D) of all codes, where greedy search has the decoder read their expectation."""
        return code_table(self.model.bottleneck) if self.model.config.decoder_reads == "expectation" else None

    def predict_codes(self, source: EncodedSource, source_lengths: Tensor) -> CodeSequences:
        """``beam`` code sequences per sentence."""
        model, limits = self.model, self.code_limits(source_lengths)
        fixed = model.config.length_mode == "ratio"
        if self.beam == 1:
            return greedy_codes(model, source, limits, fixed, self.table())
        return beam_codes(model, source, limits, fixed, self.beam, self.length_penalty)

    def features(self, sequences: CodeSequences, source: EncodedSource) -> tuple[Tensor, Tensor]:
        """What the output layer reads of every candidate: (B * beam, L, D), and real positions (B * beam, L)."""
        real = sequences.real()  # (B * beam, T)
        features = self.model.decode(sequences.codes, real, source.repeat(self.beam), sequences.vectors)
        return features, self.model.decoder.real_positions(real)

    def decode_codes(self, sequences: CodeSequences, source: EncodedSource) -> tuple[Tensor, Tensor]:
        """The best word at every position, (B * beam, L), and its log-probability."""
        words, scores = self.best_words(*self.features(sequences, source))
        return words.squeeze(-1), scores.squeeze(-1)

    def write(self, sequences: CodeSequences, source: EncodedSource) -> list[Text]:
        """The text of every candidate."""
        return [texts[0] for texts in self.texts(*self.features(sequences, source))]

    def write_natively(
        self, native: NativeDecoder, source_tokens: Tensor, source_lengths: Tensor
    ) -> tuple[CodeSequences, list[Text]]:
        """The same as :meth:`encode`, :meth:`predict_codes` and :meth:`write`, by the compiled engine."""
        fixed = self.model.config.length_mode == "ratio"
        written = native.write(source_tokens, self.code_limits(source_lengths), fixed)
        rows = [torch.tensor(one.codes) for one in written]
        sequences = CodeSequences(
            nn.utils.rnn.pad_sequence(rows, True),
            torch.tensor([len(row) for row in rows]),
            torch.tensor([one.code_score for one in written]),
        )
        return sequences, self.natively_written(written)

    def helper_scores(self, source: EncodedSource, candidates: list[Tensor]) -> list[Tensor]:
        """The helper's log-probability of every token of the candidates."""
        padded = nn.utils.rnn.pad_sequence(candidates, True, self.dictionary.pad())  # (B * beam, T)
        scores = self.model.helper_scores(padded, source.repeat(self.beam))
        return [row[: len(tokens)] for row, tokens in zip(scores, candidates, strict=True)]

    @torch.no_grad()
    def generate(
        self,
        models: list[Any],
        sample: dict[str, Any],
        prefix_tokens: Tensor | None = None,
        constraints: Tensor | None = None,
        bos_token: int | None = None,
    ) -> list[list[dict[str, Any]]]:
        """For each sentence a list of hypotheses, best first, as fairseq's SequenceGenerator returns them.

        Besides fairseq's keys a hypothesis has ``codes`` (T,), the latents it was decoded from.
        """
        if prefix_tokens is not None or constraints is not None:
            raise UserError("a latent transformer decodes all words at once: no --prefix-size, no --constraints")
        self.model.eval()
        net_input = sample["net_input"]
        source_tokens, source_lengths = net_input["src_tokens"], net_input["src_lengths"]
        if self.native is None:
            source = self.encode(source_tokens)
            sequences = self.predict_codes(source, source_lengths)
            found = self.write(sequences, source)
        else:
            sequences, found = self.write_natively(self.native, source_tokens, source_lengths)
        code_scores = sequences.scores.tolist()
        if self.teacher is not None or self.by_helper:
            candidates = [tokens.to(source_tokens) for tokens, _ in found]
            scores = self.helper_scores(source, candidates) if self.by_helper else self.rescore(sample, candidates)
            found = [(tokens, score.cpu()) for (tokens, _), score in zip(found, scores, strict=True)]
            code_scores = [0.0 if s > -float("inf") else s for s in code_scores]
        hypotheses = []
        for row, text in enumerate(found):
            codes = sequences.codes[row, : int(sequences.lengths[row])].cpu()
            hypotheses.append(self.hypothesis(text, code_scores[row]) | {"codes": codes})
        grouped = [hypotheses[i : i + self.beam] for i in range(0, len(hypotheses), self.beam)]
        return [sorted(group, key=lambda h: -float(h["score"])) for group in grouped]
