"""argmax by blocks against its reference."""

import pytest
import torch

from vqnat.kernels.argmax import BLOCK, LEAST, argmax, argmax_reference


@pytest.mark.parametrize("shape", [(7, LEAST), (3, 5, 4 * LEAST), (64, LEAST + 1), (2, 10), (0, LEAST), (50, 2001)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])  # in bfloat16 there are many equals
def test_equals_the_reference(shape, dtype):
    x = torch.randn(shape, generator=torch.Generator().manual_seed(1)).to(dtype)
    assert torch.equal(argmax(x), argmax_reference(x))


def test_the_lowest_index_among_equals():
    x = torch.zeros(3, LEAST)
    x[1, [BLOCK + 3, BLOCK + 5, 3 * BLOCK]] = 1
    x[2, :] = -torch.inf
    assert argmax(x).tolist() == [0, BLOCK + 3, 0]


def test_the_last_block_overlaps_the_one_before():
    x = torch.zeros(3, LEAST + 10)
    x[0, -1] = 1
    x[1, [LEAST - 1, LEAST + 9]] = 1  # the first of them lies in both blocks
    x[2, LEAST] = 1
    assert argmax(x).tolist() == [LEAST + 9, LEAST - 1, LEAST]


def test_rows_that_are_not_contiguous():
    x = torch.randn(LEAST, 6, generator=torch.Generator().manual_seed(2)).t()
    assert torch.equal(argmax(x), argmax_reference(x))
