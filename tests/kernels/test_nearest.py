"""The fast search for the nearest code against its plain reference."""

import pytest
import torch

from vqnat.kernels import nearest as kernel
from vqnat.kernels.nearest import nearest, nearest_reference


def test_the_nearest_has_the_smallest_distance():
    generator = torch.Generator().manual_seed(3)
    z, embedding = torch.randn(257, 7, generator=generator), torch.randn(33, 7, generator=generator)
    assert torch.equal(nearest(z, embedding), nearest_reference(z, embedding))


@pytest.mark.parametrize(("tile", "elements"), [(64, 3 * 16), (7, 21), (16, 16), (5, 1)])
def test_tiles_change_nothing(monkeypatch, tile, elements):
    generator = torch.Generator().manual_seed(4)
    # whole numbers: no rounding, whatever the tile
    z, embedding = (torch.randint(-9, 10, (n, 5), generator=generator).float() for n in (100, 16))
    embedding[13] = embedding[2]  # among equals the first, also when they are in different tiles
    z[:20] = embedding[2]
    expected = nearest_reference(z, embedding)
    assert (expected[:20] == 2).all()
    monkeypatch.setattr(kernel, "TILE_CODES", tile)
    monkeypatch.setattr(kernel, "TILE_ELEMENTS", elements)
    assert torch.equal(nearest(z, embedding), expected)


def test_vectors_with_a_gradient_are_taken():
    z, embedding = torch.randn(4, 3, requires_grad=True), torch.randn(5, 3, requires_grad=True)
    assert not nearest(z, embedding).requires_grad


def test_nothing_in_nothing_out():
    assert nearest(torch.zeros(0, 3), torch.randn(4, 3)).shape == (0,)
