"""What generators share: from decoder features to hypotheses, whatever the output layer."""

from collections.abc import Sequence
from typing import Any, Protocol

import torch
from fairseq.data import Dictionary
from torch import Tensor, nn

from vqnat.decoding.native_decoder import padded_words
from vqnat.decoding.rescoring import teacher_scores
from vqnat.kernels.argmax import argmax
from vqnat.output_layers.output_layer import OutputLayer, Text
from vqnat_serving.written import Written

# Logits held at a time: 256 MiB in fp32. On a CPU few enough that their memory is reused: larger blocks are returned to
# the OS and page-faulted in again on every call.
LOGITS = 1 << 26
CPU_LOGITS = 1 << 22


class WordModel(Protocol):
    """What a generator asks of a parallel model."""

    @property
    def output_proj(self) -> nn.Module: ...

    @property
    def output_layer(self) -> OutputLayer: ...

    def eval(self) -> Any: ...


class WordGenerator:
    """Best words at all positions, the output layer's search, rescoring.

    Symbols that the output layer never writes (pad, begin of sentence and, but for the plain one, the end) are not
    produced.

    Args:
        model: a latent or parallel transformer.
        dictionary: the target dictionary.
        length_penalty: ``--lenpen``.
        unk_penalty: subtracted from the unknown word's log-probability (``--unkpen``).
        teacher: an autoregressive model that reorders the candidates (``--rescore-with``).
        beam: texts that a beam search over the graph of words keeps (``--dag-search beam``).
    """

    def __init__(
        self,
        model: WordModel,
        dictionary: Dictionary,
        length_penalty: float = 1.0,
        unk_penalty: float = 0.0,
        teacher: nn.Module | None = None,
        beam: int = 1,
    ):
        self.model, self.dictionary, self.teacher = model, dictionary, teacher
        self.length_penalty, self.unk_penalty, self.word_beam = length_penalty, unk_penalty, beam
        self.eos = dictionary.eos()
        self.forbidden = torch.tensor(model.output_layer.forbidden)

    def best_words(self, features: Tensor, written: Tensor, count: int = 1) -> tuple[Tensor, Tensor]:
        """The best words at every position, (B, L, count), and their log-probabilities; pad and 0 at padding.

        Args:
            features: (B, L, D).
            written: (B, L) True at real positions.
            count: words at each position, best first.
        """
        # The output layer is a third of the work: it reads real positions only.
        most = CPU_LOGITS if features.device.type == "cpu" else LOGITS
        parts = features[written].split(max(1, most // len(self.dictionary)))
        found = [self._words(part, count) for part in parts]
        words = torch.full((*written.shape, count), self.dictionary.pad(), device=written.device)
        scores = torch.zeros_like(words, dtype=torch.float32)
        words[written], scores[written] = (torch.cat(each) for each in zip(*found, strict=True))
        return words, scores

    def _words(self, features: Tensor, count: int) -> tuple[Tensor, Tensor]:
        """Features (N, D) -> the best words and their log-probabilities (N, count)."""
        logits: Tensor = self.model.output_proj(features).float()  # (N, V)
        normalizer = logits.logsumexp(-1, keepdim=True)
        logits[..., self.forbidden.to(logits.device)] = -torch.inf
        if self.unk_penalty:
            logits[..., self.dictionary.unk()] -= self.unk_penalty
        for symbol, penalty in self.model.output_layer.penalties.items():
            logits[..., symbol] -= penalty
        words = argmax(logits).unsqueeze(-1) if count == 1 else logits.topk(min(count, logits.shape[-1])).indices
        return words, logits.gather(-1, words) - normalizer

    def texts(self, features: Tensor, written: Tensor) -> list[list[Text]]:
        """For each sentence its texts, best first: one, or as many as the beam of the graph of words has."""
        layer = self.model.output_layer
        words, scores = self.best_words(features, written, layer.choices)
        return layer.n_best(words, scores, features, written, self.word_beam, self.length_penalty)

    def natively_written(self, written: Sequence[Written]) -> list[Text]:
        """The text of each sentence, from what the compiled engine wrote; the layers that it has read words alone."""
        words, scores, real = padded_words(written, self.dictionary.pad())
        features = scores.new_empty(*real.shape, 0)
        return self.model.output_layer.search(words[..., 0], scores[..., 0], features, real)

    def rescore(self, sample: dict[str, Any], candidates: list[Tensor]) -> list[Tensor]:
        """The teacher's log-probability of every token of the candidates, as many for each sentence."""
        net_input = sample["net_input"]
        source, lengths = net_input["src_tokens"], net_input["src_lengths"]
        return teacher_scores(self.teacher, source, lengths, candidates, self.dictionary.pad(), self.eos)

    def hypothesis(self, text: Text, prior: float = 0.0) -> dict[str, Any]:
        """One hypothesis in fairseq's format; ``prior`` is a log-probability that belongs to no token."""
        tokens, scores = text
        total = float(scores.sum()) + prior
        return {
            "tokens": tokens,
            "score": torch.tensor(total / len(tokens) ** self.length_penalty),
            "attention": None,
            "alignment": torch.empty(0),
            "positional_scores": scores,
        }
