"""Label-smoothed cross-entropy against its reference, in value and gradient."""

import pytest
import torch

from vqnat.kernels.smoothed_cross_entropy import smoothed_cross_entropy, smoothed_cross_entropy_reference


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.5])
@pytest.mark.parametrize("scale", [1.0, 1000.0])  # large logits: exp of them alone would overflow
def test_equals_the_reference(smoothing, scale):
    generator = torch.Generator().manual_seed(1)
    logits = (scale * torch.randn(9, 13, generator=generator)).double().requires_grad_()
    targets = torch.randint(13, (9,), generator=generator)
    weights = torch.randn(9, generator=generator).double()
    loss, nll = smoothed_cross_entropy(logits, targets, smoothing)
    expected, plain = smoothed_cross_entropy_reference(logits, targets, smoothing)
    torch.testing.assert_close(loss, expected, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(nll, plain, rtol=1e-5, atol=1e-5)
    assert not nll.requires_grad
    (gradient,) = torch.autograd.grad((loss * weights).sum(), logits)
    (wanted,) = torch.autograd.grad((expected * weights).sum(), logits)
    torch.testing.assert_close(gradient, wanted, rtol=1e-5, atol=1e-6)


def test_half_precision_logits_give_full_precision_losses():
    generator = torch.Generator().manual_seed(2)
    logits = torch.randn(5, 2000, generator=generator).bfloat16().requires_grad_()
    targets = torch.randint(2000, (5,), generator=generator)
    loss, nll = smoothed_cross_entropy(logits, targets, 0.1)
    assert loss.dtype == nll.dtype == torch.float32
    exact, _ = smoothed_cross_entropy_reference(logits, targets, 0.1)
    torch.testing.assert_close(loss, exact, rtol=1e-2, atol=1e-2)
    loss.sum().backward()
    assert logits.grad.dtype == torch.bfloat16 and logits.grad.isfinite().all()
