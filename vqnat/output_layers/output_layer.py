"""The contract of an output layer."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from vqnat_serving.vocabulary import BOS, EOS, PAD

__all__ = ["BOS", "EOS", "PAD", "OutputLayer", "Positions", "Text", "WordLoss"]

Text = tuple[Tensor, Tensor]  # tokens, the end of sentence last and nowhere else, and as many log-probabilities


@dataclass
class Positions:
    """A batch of decoder outputs.

    Attributes:
        features: (B, L, D).
        real: (B, L) True at a sentence's own positions, which come first.
        logits: (N, V) of the vocabulary at the N real positions, sentence after sentence.
    """

    features: Tensor
    real: Tensor
    logits: Tensor

    def rows(self) -> Tensor:
        """(N,) the sentence of each real position."""
        return self.real.nonzero()[:, 0]

    def padded(self, values: Tensor) -> Tensor:
        """(N, C) at the real positions -> (B, L, C), zero elsewhere."""
        return values.new_zeros(*self.real.shape, values.shape[-1]).masked_scatter(self.real.unsqueeze(-1), values)


@dataclass
class WordLoss:
    """Sums over a batch; sentences that the positions cannot hold are in ``unreachable`` and in nothing else.

    Attributes:
        loss: () with a gradient.
        nll: () -log p(target), without smoothing.
        words: () how many target words that is, each end of sentence included.
        unreachable: () how many sentences do not fit.
        correct: () how many words are right, where each position has a word of its own; None elsewhere.
    """

    loss: Tensor
    nll: Tensor
    words: Tensor
    unreachable: Tensor
    correct: Tensor | None = None


class OutputLayer(nn.Module, ABC):
    """Loss and search over positions; the map from features to logits is the model's own ``output_proj``.

    Attributes:
        name: as ``--output-layer`` has it.
        marker: a key of this layer's state that no other layer has; None where it has no state.
        forbidden: symbols that the search never writes at a position.
        upsample, upsample_source: the usual positions for a target position (with latents) and for a source token
            (without); None where there is no such use.
        penalties: symbol -> what the search subtracts from its log-probability at every position.
    """

    name: str
    marker: str | None = None
    forbidden: tuple[int, ...] = (PAD, BOS)
    upsample: float = 1.0
    upsample_source: float | None = None

    def __init__(self) -> None:
        super().__init__()
        self.penalties: dict[int, float] = {}

    @property
    def choices(self) -> int:
        """How many of the best words at a position :meth:`n_best` reads."""
        return 1

    def written(self, target: Tensor, real: Tensor) -> Tensor:
        """Which of a sentence's own positions, real (B, L), the loss reads, given the target (B, T)."""
        return real

    @abstractmethod
    def loss(self, positions: Positions, target: Tensor, smoothing: float = 0.0) -> WordLoss:
        """The loss of target (B, T), end of sentence included, padded on the right; smoothing 0 <= value < 1."""

    @abstractmethod
    def search(self, words: Tensor, scores: Tensor, features: Tensor, real: Tensor) -> list[Text]:
        """The text of each sentence.

        Args:
            words: (B, L) the best word at each position, none of ``forbidden``.
            scores: (B, L) its log-probability.
            features: (B, L, D).
            real: (B, L).

        Returns:
            A text for each sentence; its log-probabilities sum to that of the text. On the CPU.
        """

    def n_best(
        self, words: Tensor, scores: Tensor, features: Tensor, real: Tensor, beam: int, length_penalty: float
    ) -> list[list[Text]]:
        """The texts of each sentence, best first: that of :meth:`search`, where the layer has no beam search.

        Args:
            words: (B, L, :attr:`choices`) the best words at each position, best first.
            scores: as ``words``, their log-probabilities.
            features: (B, L, D).
            real: (B, L).
            beam: the most texts of a sentence.
            length_penalty: texts compare by log-probability / tokens^length_penalty.
        """
        return [[text] for text in self.search(words[..., 0], scores[..., 0], features, real)]

    def align(self, positions: Positions, target: Tensor) -> Tensor:
        """The target word that the best way to write the target has at each position, (B, L); PAD where none.

        For glancing; no gradient.
        """
        raise NotImplementedError

    # What :meth:`graph` returns, as an exported decoder names it.
    graph_outputs: tuple[str, ...] = ()

    def graph(self, features: Tensor, real: Tensor, scores: Tensor) -> tuple[Tensor, ...]:
        """What an exported decoder returns besides words and scores (B, L)."""
        return ()


def finish(tokens: Tensor, scores: Tensor) -> Text:
    """Add an end of sentence, as fairseq's consumers expect it, at no cost."""
    return torch.cat([tokens, tokens.new_tensor([EOS])]), nn.functional.pad(scores, (0, 1))
