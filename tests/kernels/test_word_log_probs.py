"""Log-probabilities of a few words against their reference, in value and gradient."""

import pytest
import torch

from vqnat.kernels import chunks
from vqnat.kernels.word_log_probs import word_log_probs, word_log_probs_reference


@pytest.mark.parametrize("with_mean", [True, False])
@pytest.mark.parametrize("rows", [2, 1000])  # in chunks of two rows, and all at once
@pytest.mark.parametrize("scale", [1.0, 1000.0])  # large logits: exp of them alone would overflow
def test_equals_the_reference(with_mean, rows, scale, monkeypatch):
    monkeypatch.setitem(chunks.CHUNK_ELEMENTS, "cpu", 13 * rows)
    generator = torch.Generator().manual_seed(1)
    logits = (scale * torch.randn(9, 13, generator=generator)).requires_grad_()
    words = torch.randint(13, (9, 5), generator=generator)
    words[:, 1] = words[:, 0]  # a word may be there twice
    weights = torch.randn(9, 6, generator=generator)
    found, mean = word_log_probs(logits, words, with_mean)
    expected, expected_mean = word_log_probs_reference(logits, words)
    if not with_mean:
        assert not mean.any() and not mean.requires_grad
        expected_mean = torch.zeros_like(mean)
    gradients = []
    for each, average in ((found, mean), (expected, expected_mean)):
        total = (each * weights[:, :5]).sum() + (average * weights[:, 5]).sum()
        gradients += torch.autograd.grad(total, logits)
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(mean, expected_mean, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(*gradients, rtol=1e-5, atol=1e-5)
