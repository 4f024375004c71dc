"""Beam search over a graph of words against an enumeration of all its texts."""

import itertools
import math
from collections import defaultdict

import pytest
import torch

from vqnat.output_layers.dag_beam import beam_texts


def graph(vertices=6, choices=3, seed=1):
    generator = torch.Generator().manual_seed(seed)
    links = torch.rand(vertices, vertices, generator=generator).triu(1)
    links = links / links.sum(1, keepdim=True).clamp(min=1e-9)
    words = torch.stack([torch.randperm(4, generator=generator)[:choices] + 4 for _ in range(vertices)])
    return links, words, torch.rand(vertices, choices, generator=generator).mul(0.5).log()


def all_texts(links, words, scores):
    """Text -> probability, over all paths."""
    found, end = defaultdict(float), len(links) - 1
    for inner in itertools.chain(*(itertools.combinations(range(1, end), n) for n in range(end))):
        path = (0, *inner, end)
        way = math.prod(float(links[u, v]) for u, v in itertools.pairwise(path))
        for choice in itertools.product(range(words.shape[1]), repeat=len(inner)):
            text = tuple(int(words[v, c]) for v, c in zip(inner, choice, strict=True))
            found[text] += way * math.exp(sum(float(scores[v, c]) for v, c in zip(inner, choice, strict=True)))
    return found


@pytest.mark.parametrize("length_penalty", [0.0, 1.0])
@pytest.mark.parametrize("seed", range(3))
def test_a_wide_beam_finds_the_best_texts(seed, length_penalty):
    links, words, scores = graph(seed=seed)
    values = {
        (*text, 2): (math.log(p), math.log(p) / (len(text) + 1) ** length_penalty)
        for text, p in all_texts(links, words, scores).items()
    }
    expected = sorted(values, key=lambda text: -values[text][1])[:400]
    found = beam_texts(links, words, scores, 400, length_penalty)
    assert [values[tuple(tokens.tolist())][1] for tokens, _ in found] == pytest.approx(
        [values[text][1] for text in expected], abs=1e-5
    )
    for tokens, each in found:
        assert len(tokens) == len(each)
        assert float(each.sum()) == pytest.approx(values[tuple(tokens.tolist())][0], abs=1e-5)


def test_a_narrow_beam_has_distinct_texts_in_order():
    found = beam_texts(*graph(vertices=8), beam=3, length_penalty=1.0)
    values = [float(each.sum()) / len(tokens) for tokens, each in found]
    assert len({tuple(tokens.tolist()) for tokens, _ in found}) == 3 and values == sorted(values, reverse=True)


def test_graphs_without_words():
    for vertices in (1, 2):
        [(tokens, scores)] = beam_texts(*graph(vertices=vertices), beam=3, length_penalty=1.0)
        assert tokens.tolist() == [2] and float(scores.sum()) == pytest.approx(0)
