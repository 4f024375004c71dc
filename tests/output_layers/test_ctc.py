"""CTC against an enumeration of everything that positions could write."""

import itertools

import pytest
import torch
from layers import SYMBOLS, batch, rows

from vqnat.output_layers.ctc import BLANK, CTCLayer


def collapse(symbols):
    return tuple(key for key, _ in itertools.groupby(symbols) if key != BLANK)


def ways(log_probs, text):
    """(log-probability, symbols) of every way to write the text, its own symbols and blanks only."""
    choices = sorted({BLANK, *text})
    for symbols in itertools.product(choices, repeat=len(log_probs)):
        if collapse(symbols) == tuple(text):
            yield sum(log_probs[i, s] for i, s in enumerate(symbols)), symbols


def texts(target):
    return [row[row != 1][:-1].tolist() for row in target]


@pytest.fixture
def layer():
    return CTCLayer()


def example():
    positions, target = batch([5, 3, 4, 2], [4, 2, 4, 1])
    target[2, :3] = torch.tensor([5, 5, 6])  # a repeat needs a blank: four positions, and no other way
    return positions, target


def expected(positions, target):
    total = 0
    for log_probs, text in zip(rows(positions), texts(target), strict=True):
        total = total - torch.logsumexp(torch.stack([p for p, _ in ways(log_probs, text)]), 0)
    return total


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_loss_and_gradient_are_those_of_all_ways(layer, smoothing):
    positions, target = example()
    found = layer.loss(positions, target, smoothing)
    nll = expected(positions, target)
    torch.testing.assert_close(found.nll, nll.detach())
    each = [-len_ * part.mean(-1).mean() for part, len_ in zip(rows(positions), (4, 2, 4, 1), strict=True)]
    total = (1 - smoothing) * nll + smoothing * sum(each)
    torch.testing.assert_close(found.loss, total)
    [ours] = torch.autograd.grad(found.loss * 3, positions.logits)
    [theirs] = torch.autograd.grad(total * 3, positions.logits)
    torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)
    assert (int(found.words), int(found.unreachable)) == (11, 0)


def test_what_does_not_fit_is_counted_and_nothing_else(layer):
    positions, target = batch([3, 4, 2], [5, 4, 3])
    target[1, :3] = 5  # three words, five positions
    found = layer.loss(positions, target, 0.1)
    assert (int(found.words), int(found.unreachable)) == (3, 2)
    assert torch.isfinite(found.loss)
    [grad] = torch.autograd.grad(found.loss, positions.logits)
    assert torch.isfinite(grad).all() and not grad[:7].any() and grad[7:].any()


def test_all_sentences_unreachable(layer):
    positions, target = batch([1, 2], [5, 4])
    found = layer.loss(positions, target)
    assert float(found.loss) == 0 and int(found.words) == 0
    assert not torch.autograd.grad(found.loss, positions.logits)[0].any()


def test_alignment_is_the_best_way(layer):
    for seed in range(8):
        positions, target = batch([6, 3, 4], [4, 3, 1], seed=seed)
        target[0, :2] = 7
        aligned = layer.align(positions, target)
        for row, (log_probs, text) in enumerate(zip(rows(positions), texts(target), strict=True)):
            best = max(ways(log_probs, text), key=lambda way: float(way[0]))[1]
            assert aligned[row, : len(best)].tolist() == list(best)
            assert (aligned[row, len(best) :] == 1).all()


def test_no_alignment_of_what_does_not_fit(layer):
    positions, target = batch([2, 4], [5, 3])
    aligned = layer.align(positions, target)
    assert (aligned[0] == 1).all() and (aligned[1] != 1).all()


def test_search_collapses_and_its_scores_are_the_paths(layer):
    symbols = [0, 5, 5, 0, 5, 6, 0, 0]
    scores = -torch.arange(1.0, 9.0)
    real = torch.ones(3, 8, dtype=torch.bool)
    real[1, 4:] = False
    words = torch.tensor([symbols, symbols, [0] * 8])
    found = layer.search(words, scores.expand(3, 8), torch.zeros(3, 8, 1), real)
    assert [tokens.tolist() for tokens, _ in found] == [[5, 5, 6, 2], [5, 2], [2]]
    # 0 5 5 | 0 5 | 6 | 0 0
    assert found[0][1].tolist() == [-6, -9, -6, -15]
    assert found[1][1].tolist() == [-6, -4]
    assert [float(scores.sum()) for _, scores in found] == [-36, -10, -36]


def test_symbols(layer):
    assert SYMBOLS > BLANK == 0
    assert BLANK not in layer.forbidden and {1, 2} <= set(layer.forbidden)
