"""argmax by blocks against torch's."""

import pytest
import torch

from vqnat.argmax import BLOCK, LEAST, argmax


@pytest.mark.parametrize("shape", [(7, LEAST), (3, 5, 4 * LEAST), (4, LEAST + 1), (2, 10), (0, LEAST)])
def test_equals_torch(shape):
    x = torch.randn(shape, generator=torch.Generator().manual_seed(1))
    assert torch.equal(argmax(x), x.argmax(-1))


def test_the_lowest_index_among_equals():
    x = torch.zeros(3, LEAST)
    x[1, [BLOCK + 3, BLOCK + 5, 5 * BLOCK]] = 1
    x[2, :] = -torch.inf
    assert argmax(x).tolist() == [0, BLOCK + 3, 0]


def test_rows_that_are_not_contiguous():
    x = torch.randn(LEAST, 6, generator=torch.Generator().manual_seed(2)).t()
    assert torch.equal(argmax(x), x.argmax(-1))
