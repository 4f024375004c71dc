"""``lfq`` against its equations and against vector-quantize-pytorch."""

import itertools
import math

import pytest
import torch
from quantizing import batch, compare, small
from vector_quantize_pytorch import LFQ


def entropy(p):
    return -sum(float(0) if float(x) == 0 else x * x.log() for x in p)


@pytest.mark.parametrize("temperature", [0.01, 2.0])
def test_against_the_equations(temperature):
    """Every code written out, most significant bit first; no product of bits anywhere."""
    bottleneck = small("lfq", lfq_temperature=temperature, lfq_diversity=0.6, lfq_entropy_weight=0.3)
    codes = torch.tensor(list(itertools.product([-1.0, 1.0], repeat=4)), dtype=torch.double)
    found = []

    def literal(z, parameters):
        read, commit, each, posterior = [], 0, 0, []
        for vector in z:
            u = parameters["down.weight"] @ vector + parameters["down.bias"]
            found.append(int((codes @ u.detach()).argmax()))
            sign = codes[found[-1]]
            read.append(parameters["up.weight"] @ (u + (sign - u).detach()) + parameters["up.bias"])
            commit = commit + 0.25 * (u - sign).square().mean()
            posterior.append((2 * (codes @ u) / temperature).softmax(0))
            each = each + entropy(posterior[-1])
        mean = torch.stack(posterior).mean(0)
        penalty = each - 0.6 * entropy(mean) * len(z)
        return torch.stack(read), {"commitment": commit, "entropy": 0.3 * penalty}

    # At 0.01 the entropy is that of a few vectors near a border: its gradient is steep.
    output = compare(bottleneck, literal, rtol=1e-3, atol=1e-4)
    assert output.codes[batch()[1]].tolist() == found


def test_against_vector_quantize_pytorch():
    """The same codes, output and loss with every position real.

    Differences of definition: their loss is a mean over positions, ours a sum; they compute logarithms of at least
    1e-5, so that the entropies differ by about K 1e-5.
    """
    ours = small("lfq", lfq_temperature=1.0)
    theirs = LFQ(dim=6, codebook_size=16, entropy_loss_weight=0.1, commitment_loss_weight=0.25, diversity_gamma=1.0)
    theirs.project_in.load_state_dict(ours.down.state_dict())
    theirs.project_out.load_state_dict(ours.up.state_dict())
    z, _ = batch()
    output = ours(z, torch.ones(3, 6, dtype=torch.bool))
    quantized, codes, loss = theirs(z, inv_temperature=1.0)
    assert torch.equal(output.codes, codes.long())
    torch.testing.assert_close(output.quantized, quantized)
    torch.testing.assert_close(sum(part for part, _ in output.losses.values()) / 18, loss, rtol=1e-3, atol=1e-4)


def test_a_certain_posterior_has_no_nan():
    bottleneck = small("lfq")
    z = (1e4 * torch.randn(2, 5, 6)).requires_grad_()
    output = bottleneck(z, torch.ones(2, 5, dtype=torch.bool))
    total = sum(part for part, _ in output.losses.values())
    (gradient,) = torch.autograd.grad(total, z)
    assert total.isfinite() and gradient.isfinite().all()


def test_diversity_rewards_the_use_of_all_codes():
    bottleneck = small("lfq", commitment=0.0)
    bottleneck.down.weight.data = torch.eye(4, 6)
    bottleneck.down.bias.data.zero_()
    signs = torch.tensor(list(itertools.product([-1.0, 1.0], repeat=4)))
    spread = torch.cat([signs, torch.zeros(16, 2)], 1).unsqueeze(0)
    losses = [
        float(bottleneck(z, torch.ones(1, 16, dtype=torch.bool)).losses["entropy"][0]) / 16
        for z in (spread, spread[:, :1].expand(1, 16, 6))
    ]
    assert losses == pytest.approx([-0.1 * math.log(16), 0.0], abs=1e-5)


def test_codes_are_bits():
    with pytest.raises(ValueError, match="--codebook-size 12 is not possible; valid: a power of 2"):
        small("lfq", codebook_size=12)
