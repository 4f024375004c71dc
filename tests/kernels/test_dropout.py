"""Dropout from 16 random bits an element: rates, means, gradients, repeatability."""

import pytest
import torch
from fairseq.modules import FairseqDropout

from vqnat.kernels.dropout import dropout, dropout_reference
from vqnat.tasks.fast_dropout import use_fast_dropout


@pytest.mark.parametrize("rate", [0.1, 0.3, 0.9])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_drops_that_share_and_keeps_the_mean(rate, dtype):
    torch.manual_seed(1)
    y = dropout(torch.ones(1001, 333, dtype=dtype), rate)  # no multiple of 4
    assert y.dtype == dtype
    share = (y == 0).float().mean()
    error = 5 * (rate * (1 - rate) / y.numel()) ** 0.5  # five standard deviations
    assert abs(share - rate) < error
    kept = y[y != 0]
    torch.testing.assert_close(
        kept, torch.full_like(kept, 1 / (1 - rate)), rtol=1e-2 if dtype != torch.float32 else 1e-4, atol=0
    )


@pytest.mark.parametrize("rate", [0.1, 0.25, 0.9])
def test_equals_the_reference_with_its_mask(rate):
    x = torch.randn(40, 30, generator=torch.Generator().manual_seed(1))
    y = dropout(x, rate)
    torch.testing.assert_close(y, dropout_reference(x, y != 0, rate), rtol=1e-4, atol=0)


def test_neighbors_fall_independently():
    torch.manual_seed(1)
    dropped = (dropout(torch.ones(4 * 100_000), 0.5) == 0).view(-1, 4).float()  # four masks come from one draw
    correlation = torch.corrcoef(dropped.t())
    assert (correlation - torch.eye(4)).abs().max() < 0.02


def test_gradient_has_the_mask_of_the_forward_pass():
    x = torch.randn(7, 9, requires_grad=True)
    y = dropout(x, 0.4)
    (gradient,) = torch.autograd.grad(y, x, torch.full_like(y, 2.0))
    torch.testing.assert_close(gradient * x, 2 * y)


def test_the_seed_decides():
    x = torch.ones(50, 50)
    drawn = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        drawn.append(dropout(x, 0.5))
    assert torch.equal(drawn[0], drawn[1]) and not torch.equal(drawn[0], drawn[2])


@pytest.mark.parametrize(("rate", "training"), [(0.0, True), (0.5, False)])
def test_off(rate, training):
    x = torch.randn(3, 4)
    assert dropout(x, rate, training) is x


def test_everything_may_be_dropped():
    assert not dropout(torch.ones(10), 1.0).any()


def test_a_teachers_dropout_modules():
    model = torch.nn.Sequential(FairseqDropout(0.5), torch.nn.Linear(64, 64), FairseqDropout(0.25))
    use_fast_dropout(model)
    x = torch.ones(100, 64)
    torch.manual_seed(1)
    found = model[2](x)
    torch.manual_seed(1)
    assert torch.equal(found, dropout(x, 0.25))
    model.eval()
    assert torch.equal(model[0](x), x)
