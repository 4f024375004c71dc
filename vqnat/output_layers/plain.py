"""One word at each position."""

import torch
from torch import Tensor

from vqnat.kernels.argmax import argmax
from vqnat.kernels.smoothed_cross_entropy import smoothed_cross_entropy
from vqnat.output_layers.output_layer import EOS, PAD, OutputLayer, Positions, Text, WordLoss, finish


class PlainLayer(OutputLayer):
    """Position t writes target word t (Kaiser et al. 2018); the text ends at its first end of sentence."""

    name = "plain"

    def written(self, target: Tensor, real: Tensor) -> Tensor:
        """(B, T) where the target has a word: no more positions are computed than that."""
        return target.ne(PAD)

    def loss(self, positions: Positions, target: Tensor, smoothing: float = 0.0) -> WordLoss:
        """Cross-entropy, summed."""
        words = target[target.ne(PAD)]  # (N,)
        loss, nll = smoothed_cross_entropy(positions.logits, words, smoothing)
        correct = argmax(positions.logits.detach()).eq(words).sum()
        return WordLoss(loss.sum(), nll.sum(), target.new_tensor(words.numel()), target.new_tensor(0), correct)

    def search(self, words: Tensor, scores: Tensor, features: Tensor, real: Tensor) -> list[Text]:
        """Up to the first end of sentence, or all positions."""
        room = real.sum(1)  # (B,)
        index = torch.arange(words.shape[1], device=words.device)
        stops = (words == EOS) | (index == (room - 1).unsqueeze(1))
        ends = stops.long().argmax(1).tolist()  # first True
        words, scores = words.cpu(), scores.cpu()
        found = []
        for row, end in enumerate(ends):
            text, each = words[row, : end + 1].clone(), scores[row, : end + 1]
            found.append((text, each) if text[-1] == EOS else finish(text, each))
        return found
