"""Beam search over the texts of a directed acyclic graph."""

import torch
from torch import Tensor

from vqnat.output_layers.output_layer import EOS, Text


def beam_texts(links: Tensor, words: Tensor, scores: Tensor, beam: int, length_penalty: float) -> list[Text]:
    """The best texts of one sentence, each with the sum over all its paths (Huang et al. 2022, section 3.4).

    A candidate is a prefix with the probability to have written it and to be at each vertex, so that paths with equal
    words are one candidate.

    Args:
        links: (L, L) probabilities from row to column.
        words: (L, k) the most probable words at each vertex; the first and the last vertex write none of them.
        scores: (L, k) their log-probabilities.
        beam: how many prefixes are kept, and texts returned.
        length_penalty: texts compare by log-probability / tokens^length_penalty, the end of sentence counted.

    Returns:
        At most ``beam`` texts, best first: tokens with the end of sentence, and log-probabilities that sum to that of
        the text.
    """
    end, links = len(links) - 1, links.double()
    if end == 0:
        return [(torch.tensor([EOS]), torch.zeros(1))]
    vocabulary, place = words.unique(return_inverse=True)  # (W,), (L, k)
    emissions = links.new_zeros(len(links), len(vocabulary)).scatter_add_(1, place, scores.double().exp())  # (L, W)
    emissions[[0, end]] = 0
    at = links.new_zeros(1, len(links))  # (n, L) where each prefix is, given the prefix
    at[:, 0] = 1
    totals, prefixes = links.new_zeros(1), [((), ())]  # log-probabilities; words and the total after each
    found: list[tuple[float, tuple[int, ...], tuple[float, ...]]] = []
    for length in range(1, end + 1):
        reached = at @ links  # (n, L)
        closed = (totals + reached[:, end].log()).tolist()
        for (tokens, steps), total in zip(prefixes, closed, strict=True):
            if total > -float("inf"):
                found.append((total / length**length_penalty, (*tokens, EOS), (*steps, total)))
        found = sorted(found, key=lambda text: -text[0])[:beam]
        grown = reached @ emissions  # (n, W)
        ranked = (totals.unsqueeze(1) + grown.log()).flatten()
        best = ranked.topk(min(beam, len(ranked)))
        alive = best.values > -torch.inf
        # No text can be more probable than its prefix; the longest has the smallest penalty.
        bound = float(best.values[0]) / (end if length_penalty > 0 else length + 1) ** length_penalty
        if not alive.any() or (len(found) == beam and bound <= found[-1][0]):
            break
        totals, chosen = best.values[alive], best.indices[alive]
        rows, columns = chosen // len(vocabulary), chosen % len(vocabulary)
        at = reached[rows] * emissions[:, columns].T / grown[rows, columns].unsqueeze(1)
        prefixes = [
            ((*prefixes[row][0], word), (*prefixes[row][1], total))
            for row, word, total in zip(rows.tolist(), vocabulary[columns].tolist(), totals.tolist(), strict=True)
        ]
    return [(torch.tensor(tokens), torch.tensor((0.0, *steps)).diff()) for _, tokens, steps in found]
