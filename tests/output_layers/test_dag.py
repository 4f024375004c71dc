"""The directed acyclic decoder against an enumeration of all paths."""

import itertools

import pytest
import torch
from layers import batch, rows

from vqnat.output_layers.dag import DAGLayer


@pytest.fixture
def layer():
    torch.manual_seed(2)
    layer = DAGLayer(8, 2)
    for parameter in layer.parameters():
        torch.nn.init.normal_(parameter)
    return layer


def transitions(layer, features, end):
    """E of one sentence, a loop over heads and vertices."""
    x, (query, key, gate) = features[: end + 1], (layer.query_proj, layer.key_proj, layer.gate_proj)
    found = {}
    for u in range(end):
        gates = gate(x[u]).softmax(-1)
        found[u] = 0
        for head in range(2):
            part = slice(4 * head, 4 * head + 4)
            scores = key(x[u + 1 :])[:, part] @ query(x[u])[part] / 2
            found[u] = found[u] + gates[head] * scores.softmax(-1)
    return {(u, v): found[u][v - u - 1] for u in found for v in range(u + 1, end + 1)}


def paths(layer, positions, target):
    """For each sentence a list of (log-probability, vertices)."""
    for features, log_probs, words in zip(positions.features, rows(positions), target, strict=True):
        words, end = words[words != 1].tolist(), len(log_probs) - 1
        edges, found = transitions(layer, features, end), []
        for inner in itertools.combinations(range(1, end), len(words) - 1):
            path = (*inner, end)
            score = sum(edges[edge].log() for edge in zip((0, *inner), path, strict=True))
            found.append((score + sum(log_probs[v, w] for v, w in zip(inner, words, strict=False)), path))
        yield found


def test_transitions_are_distributions_over_later_vertices(layer):
    positions, _ = batch([6, 4, 1], [2, 2, 2])
    matrix = layer.transitions(positions.features, positions.real)
    for row, end in enumerate((5, 3, 0)):
        assert matrix[row].triu(1).equal(matrix[row])
        torch.testing.assert_close(matrix[row, :end].sum(-1), torch.ones(end))
        assert not matrix[row, end:].any() and not matrix[row, :, end + 1 :].any()
        for (u, v), value in transitions(layer, positions.features[row], end).items():
            torch.testing.assert_close(matrix[row, u, v], value)


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_loss_and_gradients_are_those_of_all_paths(layer, smoothing):
    positions, target = batch([7, 5, 5, 2, 3], [4, 4, 2, 1, 1])
    target[0, 1] = target[0, 0]
    found = layer.loss(positions, target, smoothing)
    nll = -sum(torch.logsumexp(torch.stack([p for p, _ in one]), 0) for one in paths(layer, positions, target))
    torch.testing.assert_close(found.nll, nll.detach())
    each = [-words * part.mean(-1).mean() for part, words in zip(rows(positions), (4, 4, 2, 1, 1), strict=True)]
    total = (1 - smoothing) * nll + smoothing * sum(each)
    torch.testing.assert_close(found.loss, total)
    leaves = (positions.logits, positions.features, *layer.parameters())
    ours, theirs = torch.autograd.grad(3 * found.loss, leaves), torch.autograd.grad(3 * total, leaves)
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-4)
    assert (int(found.words), int(found.unreachable)) == (12, 0)


def test_what_does_not_fit_is_counted_and_nothing_else(layer):
    positions, target = batch([4, 1, 6], [4, 1, 3])
    target = torch.cat([target, torch.ones(3, 1, dtype=torch.long)], 1)
    target[0, 3:] = torch.tensor([5, 2])  # five words, four vertices
    found = layer.loss(positions, target, 0.1)
    assert (int(found.words), int(found.unreachable)) == (3, 2)
    grads = torch.autograd.grad(found.loss, (positions.logits, positions.features))
    assert all(torch.isfinite(grad).all() for grad in (found.loss, *grads))
    assert not grads[0][:5].any() and not grads[1][:2].any() and grads[1][2].any()


def test_a_long_sentence_does_not_underflow():
    """As many words as vertices: one path, and nearly all that is reached on the way is of no use to it."""
    torch.manual_seed(1)
    layer = DAGLayer(8, 2)
    positions, target = batch([200], [199])
    found = layer.loss(positions, target)
    [matrix] = layer.transitions(positions.features, positions.real)
    [log_probs] = rows(positions)
    only = matrix.diagonal(1).log().sum() + log_probs[torch.arange(1, 199), target[0, :198]].sum()
    torch.testing.assert_close(found.loss, -only, rtol=1e-5, atol=1e-2)
    ours, theirs = (torch.autograd.grad(loss, positions.features)[0] for loss in (found.loss, -only))
    torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-3)


def test_alignment_is_the_best_path(layer):
    for seed in range(8):
        positions, target = batch([7, 5, 5, 2], [4, 4, 2, 1], seed=seed)
        aligned = layer.align(positions, target)
        for row, found in enumerate(paths(layer, positions, target)):
            best = max(found, key=lambda one: float(one[0]))[1]
            expected = [1] * 7
            for vertex, word in zip(best[:-1], target[row].tolist(), strict=False):
                expected[vertex] = word
            assert aligned[row].tolist() == expected


def best_words(positions):
    words, scores = torch.ones_like(positions.real, dtype=torch.long), torch.zeros(positions.real.shape)
    for row, log_probs in enumerate(rows(positions)):
        best = log_probs[:, 4:].max(-1)
        words[row, : len(log_probs)], scores[row, : len(log_probs)] = best.indices + 4, best.values
    return words, scores


@pytest.mark.parametrize("how", ["greedy", "lookahead"])
@torch.no_grad()
def test_search_takes_the_best_step(layer, how):
    layer.how = how
    positions, _ = batch([9, 5, 2, 1], [2, 2, 2, 2])
    words, scores = best_words(positions)
    found = layer.search(words, scores, positions.features, positions.real)
    for row, end in enumerate((8, 4, 1, 0)):
        edges, vertex, tokens, each = transitions(layer, positions.features[row], end), 0, [], []
        while vertex < end:
            value = {v: float(edges[vertex, v].log()) for v in range(vertex + 1, end + 1)}
            joint = {v: s + (float(scores[row, v]) if v < end else 0) for v, s in value.items()}
            chosen = max(value, key=(value if how == "greedy" else joint).get)
            tokens.append(int(words[row, chosen]) if chosen < end else 2)
            each.append(joint[chosen])
            vertex = chosen
        assert found[row][0].tolist() == (tokens or [2])
        assert found[row][1].tolist() == pytest.approx(each or [0], abs=1e-5)
