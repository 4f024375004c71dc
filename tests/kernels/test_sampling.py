"""Fast draws from the posterior against their plain reference."""

import pytest
import torch

from vqnat.kernels import nearest, sampling


@pytest.mark.parametrize("streamed", [False, True])
def test_samples_follow_the_posterior(monkeypatch, streamed):
    size = 112  # the last tile is half a tile
    if streamed:
        force_streaming(monkeypatch, 32)
        monkeypatch.setattr(nearest, "TILE_ELEMENTS", 64)  # two vectors at a time
    torch.manual_seed(5)
    z, embedding = torch.randn(3, 4), torch.randn(size, 4)
    embedding[40:44] += 100  # a block of codes with next to no weight, in a tile with some
    embedding[64:96] += 100  # and a whole tile
    posterior = (-(z.double()[:, None] - embedding.double()[None]).square().sum(-1)).softmax(-1)
    draws = 40_000
    samples = sampling.sample_posterior(z, embedding, draws)
    shares = torch.stack([row.bincount(minlength=size) for row in samples]) / draws
    # Five standard deviations of a binomial share.
    assert ((shares - posterior).abs() < 5 * (posterior * (1 - posterior) / draws).sqrt() + 1e-9).all()


def force_streaming(monkeypatch, tile):
    monkeypatch.setattr(sampling, "DENSE_CODES", tile - 1)
    monkeypatch.setattr(sampling, "TILE_CODES", tile)


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("size", [48, 384])
def test_the_same_uniform_numbers_draw_what_the_reference_draws(monkeypatch, size, streamed):
    if streamed:
        force_streaming(monkeypatch, 32)
    generator = torch.Generator().manual_seed(9)
    z, embedding = (torch.randn(n, 3, generator=generator) for n in (50, size))
    torch.manual_seed(10)
    drawn = sampling.sample_posterior(z, embedding, 40)
    torch.manual_seed(10)  # the vectors fit into one tile, so these are the numbers that it has drawn
    expected = sampling.sample_reference(z, embedding, 1 - torch.rand(50, 40))
    # In fp32 a draw next to a step may fall on its other side.
    assert (drawn != expected).float().mean() < 0.002


def test_streamed_draws_are_the_dense_ones():
    generator = torch.Generator().manual_seed(8)
    embedding = torch.randn(sampling.TILE_CODES * 3, 6, generator=generator)
    z = embedding[::50] + 0.4 * torch.randn(len(embedding[::50]), 6, generator=generator)
    norms, uniform = embedding.square().sum(-1), 1 - torch.rand(len(z), 12, generator=generator)
    uniform[:, 0], uniform[:, 1] = 1, 1e-7  # both ends
    tile, rows = torch.empty(len(z), sampling.TILE_CODES), torch.empty(len(z), len(embedding))
    streamed = sampling._draw_streamed(z, embedding, norms, uniform, tile)
    dense = sampling._draw_dense(z, embedding, norms, uniform, rows)
    assert len(dense.unique()) > 500
    # In fp32 a draw next to a step may fall on its other side.
    assert (streamed[:, 2:] != dense[:, 2:]).float().mean() < 0.001


@pytest.mark.parametrize(("codes", "draws", "block"), [(4096, 10, 32), (384, 4, 16), (385, 4, 1), (256, 50, 1)])
def test_draws_invert_the_cumulative_distribution(codes, draws, block):
    assert sampling._block_length(codes, draws) == block
    generator = torch.Generator().manual_seed(7)
    weights = torch.rand(20, codes, generator=generator) * (torch.rand(20, codes, generator=generator) < 0.3)
    weights[0] = 0
    weights[0, codes - 2] = 1e-30  # all the weight at one code, and little of it
    uniform = 1 - torch.rand(20, draws, generator=generator)
    uniform[:, 0], uniform[:, 1] = 1, 1e-7  # both ends
    drawn = sampling.draw(weights, uniform)
    cumulative = weights.double().cumsum(-1)
    exact = torch.searchsorted(cumulative, uniform.double() * cumulative[:, -1:])
    # In fp32 a draw next to a step may fall on its other side; never on a code without weight.
    assert (drawn != exact).float().mean() < 0.01
    assert (weights.gather(-1, drawn) > 0).all()
    assert (drawn[0] == codes - 2).all()


def test_an_impossible_code_is_never_drawn():
    torch.manual_seed(6)
    embedding = torch.tensor([[100.0], [0.0], [200.0]])
    assert (sampling.sample_posterior(torch.zeros(50, 1), embedding, 200) == 1).all()


def test_vectors_with_a_gradient_are_taken():
    z, embedding = torch.randn(4, 3, requires_grad=True), torch.randn(5, 3, requires_grad=True)
    assert sampling.sample_posterior(z, embedding, 2).shape == (4, 2)


def test_nothing_in_nothing_out():
    assert sampling.sample_posterior(torch.zeros(0, 3), torch.randn(4, 3), 2).shape == (0, 2)
