"""What ``fairseq-generate`` and ``fairseq-interactive`` call for a latent transformer."""

import torch
from torch import Tensor, nn

from vqnat.argmax import argmax
from vqnat.decoding.latent_search import CodeSequences, beam_codes, greedy_codes
from vqnat.decoding.rescoring import teacher_scores
from vqnat.errors import UserError
from vqnat.models.latent_transformer import LatentTransformer
from vqnat.models.source_encoder import EncodedSource

# Logits held at a time: 256 MiB in fp32. On a CPU so few that their memory is used again: what is larger goes back to
# the system after each use, and every page of it must be found anew.
LOGITS = 1 << 26
CPU_LOGITS = 1 << 22


class LatentGenerator:
    """Codes by greedy or beam search, then all words of each candidate in one pass.

    With a beam of n codes, n candidates are decoded; they are ordered by the model's own
    (log p(codes | x) + log p(y | codes, x)) / |y|^lenpen, or by the teacher's log p(y | x) / |y|^lenpen when
    there is one. Symbols: pad, unknown and bos are never produced.

    Args:
        model: the latent transformer.
        dictionary: the target dictionary.
        beam: candidates a sentence (``--beam``); 1 is greedy.
        length_penalty: ``--lenpen``.
        max_len_a, max_len_b: at most ``a * |x| + b`` target tokens (``--max-len-a``, ``--max-len-b``).
        unk_penalty: subtracted from the unknown word's log-probability (``--unkpen``).
        teacher: an autoregressive model that reorders the candidates (``--rescore-with``).
        by_helper: the model's own autoregressive helper reorders them (``--rescore-with helper``).
    """

    def __init__(
        self,
        model: LatentTransformer,
        dictionary,
        beam: int = 1,
        length_penalty: float = 1.0,
        max_len_a: float = 0.0,
        max_len_b: int = 200,
        unk_penalty: float = 0.0,
        teacher: nn.Module | None = None,
        by_helper: bool = False,
    ):
        self.by_helper = by_helper
        self.model, self.dictionary, self.teacher = model, dictionary, teacher
        self.beam, self.length_penalty = beam, length_penalty
        self.max_len_a, self.max_len_b, self.unk_penalty = max_len_a, max_len_b, unk_penalty
        self.eos = dictionary.eos()
        self.never = torch.tensor([dictionary.pad(), dictionary.bos()])

    def encode(self, source_tokens: Tensor) -> EncodedSource:
        """Source tokens (B, S) as vectors."""
        return self.model.encoder(source_tokens)

    def code_limits(self, source_lengths: Tensor) -> Tensor:
        """The most codes (B,) that each sentence may have, from source lengths in tokens (B,)."""
        model = self.model
        if model.config.length_mode == "ratio":
            return model.num_codes(source_lengths)
        tokens = (self.max_len_a * source_lengths + self.max_len_b).long().clamp(min=1)
        return tokens.add(model.stride - 1).div(model.stride, rounding_mode="floor").clamp_(max=model.max_codes)

    def predict_codes(self, source: EncodedSource, source_lengths: Tensor) -> CodeSequences:
        """``beam`` code sequences a sentence."""
        model, limits = self.model, self.code_limits(source_lengths)
        fixed = model.config.length_mode == "ratio"
        if self.beam == 1:
            return greedy_codes(model, source, limits, fixed)
        return beam_codes(model, source, limits, fixed, self.beam, self.length_penalty)

    def decode_codes(self, sequences: CodeSequences, source: EncodedSource) -> tuple[Tensor, Tensor]:
        """The best word at every position, (B * beam, 2^nc T), and its log-probability."""
        real = sequences.real()  # (B * beam, T)
        features = self.model.decode(sequences.codes, real, source.repeat(self.beam))
        written = real.repeat_interleave(self.model.stride, 1)  # (B * beam, 2^nc T)
        # The output layer is a third of the work: it sees no pads.
        most = CPU_LOGITS if features.device.type == "cpu" else LOGITS
        found = [self._words(part) for part in features[written].split(max(1, most // len(self.dictionary)))]
        words = torch.full_like(written, self.dictionary.pad(), dtype=torch.long)
        scores = torch.zeros_like(words, dtype=torch.float32)
        words[written], scores[written] = (torch.cat(parts) for parts in zip(*found, strict=True))
        return words, scores

    def _words(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Features (N, D) -> the best word and its log-probability (N,); many logits at once would fill the memory."""
        logits = self.model.output_proj(features).float()  # (N, V)
        normaliser = logits.logsumexp(-1)
        logits[..., self.never.to(logits.device)] = -torch.inf
        if self.unk_penalty:
            logits[..., self.dictionary.unk()] -= self.unk_penalty
        words = argmax(logits)
        return words, logits.gather(-1, words.unsqueeze(-1)).squeeze(-1) - normaliser

    def rescore(self, sample: dict, encoded: EncodedSource, candidates: list[Tensor]) -> list[Tensor]:
        """The teacher's or the helper's log-probability of every token of the candidates."""
        if self.by_helper:
            padded = nn.utils.rnn.pad_sequence(candidates, True, self.dictionary.pad())  # (B * beam, T)
            scores = self.model.helper_scores(padded, encoded.repeat(self.beam))
            return [row[: len(tokens)] for row, tokens in zip(scores, candidates, strict=True)]
        net_input = sample["net_input"]
        source, lengths = net_input["src_tokens"], net_input["src_lengths"]
        return teacher_scores(self.teacher, source, lengths, candidates, self.dictionary.pad(), self.eos)

    @torch.no_grad()
    def generate(self, models, sample: dict, prefix_tokens=None, constraints=None, bos_token=None) -> list[list[dict]]:
        """For each sentence a list of hypotheses, best first, as fairseq's SequenceGenerator returns them.

        Besides fairseq's keys a hypothesis has ``codes`` (T,), the latents it was decoded from.
        """
        if prefix_tokens is not None or constraints is not None:
            raise UserError("a latent transformer decodes all words at once: no --prefix-size, no --constraints")
        self.model.eval()
        net_input = sample["net_input"]
        source_tokens, source_lengths = net_input["src_tokens"], net_input["src_lengths"]
        source = self.encode(source_tokens)
        sequences = self.predict_codes(source, source_lengths)
        words, word_scores = self.decode_codes(sequences, source)

        # A text ends at its first end of sentence, or where its codes end.
        room = sequences.lengths * self.model.stride  # (B * beam,)
        index = torch.arange(words.shape[1], device=words.device)
        stops = (words == self.eos) | (index == (room - 1).unsqueeze(1))
        ends = stops.long().argmax(1).tolist()  # first True
        words, word_scores = words.cpu(), word_scores.cpu()
        tokens, token_scores = [], []
        for row, end in enumerate(ends):
            text = words[row, : end + 1].clone()
            if text[-1] != self.eos:  # no end in sight: add one, as fairseq's consumers expect it
                text = torch.cat([text, text.new_tensor([self.eos])])
            tokens.append(text)
            token_scores.append(nn.functional.pad(word_scores[row, : end + 1], (0, len(text) - end - 1)))
        code_scores = sequences.scores.tolist()
        if self.teacher is not None or self.by_helper:
            token_scores = [s.cpu() for s in self.rescore(sample, source, [t.to(source_tokens) for t in tokens])]
            code_scores = [0.0 if s > -float("inf") else s for s in code_scores]

        hypotheses = []
        for row in range(len(tokens)):
            total = float(token_scores[row].sum()) + code_scores[row]
            hypotheses.append(
                {
                    "tokens": tokens[row],
                    "score": torch.tensor(total / len(tokens[row]) ** self.length_penalty),
                    "attention": None,
                    "alignment": torch.empty(0),
                    "positional_scores": token_scores[row],
                    "codes": sequences.codes[row, : int(sequences.lengths[row])].cpu(),
                }
            )
        grouped = [hypotheses[i : i + self.beam] for i in range(0, len(hypotheses), self.beam)]
        return [sorted(group, key=lambda h: -float(h["score"])) for group in grouped]
