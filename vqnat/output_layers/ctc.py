"""Connectionist temporal classification: repeats and blanks."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable

from vqnat.kernels.word_log_probs import word_log_probs
from vqnat.output_layers.ctc_alignment import best_alignment
from vqnat.output_layers.output_layer import BOS, EOS, PAD, OutputLayer, Positions, Text, WordLoss, finish
from vqnat.output_layers.smoothing import smoothing_loss

BLANK = BOS  # a symbol that no text holds and that every dictionary has


class CTCLayer(OutputLayer):
    """Every position writes a word or a blank; repeats are one word, blanks are none.

    p(y | x) = sum over all ways to write y (Graves et al. 2006), for translation as in Libovický and Helcl 2018 and Gu
    and Kong 2021. The blank is the dictionary's begin of sentence. The end of sentence is not written: a text is what
    all positions say.
    """

    name = "ctc"
    marker = "blank"
    forbidden = (PAD, EOS)
    upsample, upsample_source = 2.0, 2.0

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("blank", torch.tensor(BLANK))  # tells its checkpoints from those of other layers

    def penalize_blanks(self, penalty: float) -> None:
        """Subtract ``penalty`` from the blank's log-probability in search.

        The best symbol of each position is not the best text: where the model hesitates whether a word stands here or
        at the next position, the blank wins at both, and texts come out short (Gu and Kong 2021 search with a beam).
        """
        self.penalties = {BLANK: penalty} if penalty else {}

    def loss(self, positions: Positions, target: Tensor, smoothing: float = 0.0) -> WordLoss:
        """-log p(y | x), by torch's own loss, over the target's own words instead of the vocabulary."""
        labels, label_lengths = _labels(target)  # (B, S), (B,)
        lengths, rows = positions.real.sum(1), positions.rows()
        reachable = needed(labels, label_lengths) <= lengths
        columns = F.pad(labels, (1, 0), value=BLANK)  # (B, 1 + S)
        found, mean = word_log_probs(positions.logits, columns[rows], smoothing > 0)
        log_probs = positions.padded(found).transpose(0, 1)  # (L, B, 1 + S)
        nll = _CTC.apply(log_probs, _places(labels), lengths, label_lengths)  # (B,)
        nll = torch.where(reachable, nll, 0).sum()
        counted = torch.where(reachable, label_lengths + 1, 0)
        loss = nll
        if smoothing > 0:
            loss = (1 - smoothing) * nll + smoothing * smoothing_loss(mean, rows, lengths, counted)
        return WordLoss(loss, nll.detach(), counted.sum(), (~reachable).sum())

    def search(self, words: Tensor, scores: Tensor, features: Tensor, real: Tensor) -> list[Text]:
        """The best symbol at each position, with repeats and blanks removed.

        A word's score is that of its positions and of the blanks before it; blanks at the end are the end of
        sentence's. So the sum is the log-probability of this way to write the text.
        """
        words, scores, lengths = words.cpu(), scores.cpu(), real.sum(1).tolist()
        new = (words != F.pad(words, (1, 0), value=BLANK)[:, :-1]) & (words != BLANK)  # (B, L)
        return [_collapse(words[row, :n], scores[row, :n], new[row, :n]) for row, n in enumerate(lengths)]

    @torch.no_grad()
    def align(self, positions: Positions, target: Tensor) -> Tensor:
        """The symbols of the most probable way to write the target; blanks are symbols too."""
        labels, label_lengths = _labels(target)
        columns = F.pad(labels, (1, 0), value=BLANK)
        # A position's normalizer is the same for all that it could write.
        logits = positions.padded(positions.logits.gather(-1, columns[positions.rows()]).float())  # (B, L, 1 + S)
        lengths = positions.real.sum(1)
        states = best_alignment(logits, labels, lengths, label_lengths)  # (B, L)
        aligned = columns.gather(1, states)
        reachable = needed(labels, label_lengths) <= lengths
        return aligned.masked_fill(~(positions.real & reachable.unsqueeze(1)), PAD)


def _labels(target: Tensor) -> tuple[Tensor, Tensor]:
    """Target words without the end of sentence (B, S), S >= 1, and how many there are (B,)."""
    lengths = target.ne(PAD).sum(1) - 1
    labels = target[:, : max(1, target.shape[1] - 1)]
    inside = torch.arange(labels.shape[1], device=labels.device) < lengths.unsqueeze(1)
    return labels.masked_fill(~inside, PAD), lengths


def needed(labels: Tensor, lengths: Tensor) -> Tensor:
    """The fewest positions (B,) that can write labels (B, S): a blank must stand between equal words."""
    inside = torch.arange(1, labels.shape[1], device=labels.device) < lengths.unsqueeze(1)
    return lengths + (labels[:, 1:].eq(labels[:, :-1]) & inside).sum(1)


def _places(labels: Tensor) -> Tensor:
    """Labels (B, S) as columns: 1 + the first place of the same word, since the loss compares them."""
    index = torch.arange(labels.shape[1], device=labels.device)
    same = labels.unsqueeze(2).eq(labels.unsqueeze(1))  # (B, S, S)
    return torch.where(same, index, labels.shape[1]).amin(-1) + 1


def _collapse(words: Tensor, scores: Tensor, new: Tensor) -> Text:
    """One sentence (L,): its words where they are new, and the scores of the positions that belong to each."""
    # A position belongs to the word that it writes, a blank to the next word.
    owner = new.long().cumsum(0) - (words != BLANK).long()  # (L,)
    tokens, _ = finish(words[new], scores[new])
    return tokens, scores.new_zeros(len(tokens)).index_add(0, owner, scores)


class _CTC(torch.autograd.Function):
    """``F.ctc_loss`` over log-probabilities that do not sum to 1.

    torch's gradient, p - posterior, is that of logits under a softmax over all symbols. Of log-probabilities it is
    -posterior.
    """

    @staticmethod
    def forward(ctx: Any, log_probs: Tensor, labels: Tensor, lengths: Tensor, label_lengths: Tensor) -> Tensor:
        wanted = ctx.needs_input_grad[0]
        with torch.enable_grad():
            x = log_probs.detach().requires_grad_(wanted)
            loss = F.ctc_loss(x, labels, lengths, label_lengths, reduction="none", zero_infinity=True)  # (B,)
            if wanted:
                [grad] = torch.autograd.grad(loss.sum(), x)
        if wanted:
            inside = torch.arange(len(x), device=x.device).unsqueeze(1) < lengths  # (L, B)
            # An impossible target has a loss of zero and no gradient; its posterior must not be p.
            posterior = (x.detach().exp() - grad) * (inside & (loss.detach() != 0)).unsqueeze(-1)
            ctx.save_for_backward(posterior)
        return loss.detach()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None, None]:
        [posterior] = ctx.saved_tensors
        return -posterior * grad.unsqueeze(-1), None, None, None
