"""The nearest code against literal float64 computations."""

import pytest
import torch

from vqnat.bottlenecks import assignment


def test_nearest_is_the_smallest_distance():
    generator = torch.Generator().manual_seed(3)
    z, embedding = torch.randn(257, 7, generator=generator), torch.randn(33, 7, generator=generator)
    distances = (z.double()[:, None] - embedding.double()[None]).square().sum(-1)
    assert torch.equal(assignment.nearest(z, embedding), distances.argmin(-1))


@pytest.mark.parametrize(("tile", "elements"), [(64, 3 * 16), (7, 21), (16, 16), (5, 1)])
def test_tiles_change_nothing(monkeypatch, tile, elements):
    generator = torch.Generator().manual_seed(4)
    # whole numbers: no rounding, whatever the tile
    z, embedding = (torch.randint(-9, 10, (n, 5), generator=generator).float() for n in (100, 16))
    embedding[13] = embedding[2]  # among equals the first, also when they are in different tiles
    z[:20] = embedding[2]
    distances = (z.double()[:, None] - embedding.double()[None]).square().sum(-1)
    monkeypatch.setattr(assignment, "TILE_CODES", tile)
    monkeypatch.setattr(assignment, "TILE_ELEMENTS", elements)
    found = assignment.nearest(z, embedding)
    assert (found[:20] == 2).all()
    assert torch.equal(distances.gather(-1, found.unsqueeze(-1)).squeeze(-1), distances.amin(-1))


def test_vectors_with_a_gradient_are_taken():
    z, embedding = torch.randn(4, 3, requires_grad=True), torch.randn(5, 3, requires_grad=True)
    assert not assignment.nearest(z, embedding).requires_grad


def test_nothing_in_nothing_out():
    assert assignment.nearest(torch.zeros(0, 3), torch.randn(4, 3)).shape == (0,)
