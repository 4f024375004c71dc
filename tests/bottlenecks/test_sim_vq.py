"""``sim_vq`` against its equations and against vector-quantize-pytorch."""

import pytest
import torch
from quantizing import batch, compare, small
from vector_quantize_pytorch import SimVQ


@pytest.mark.parametrize("unit", [False, True])
def test_against_the_equations(unit):
    bottleneck = small("sim_vq", codebook_l2=unit)
    frozen = bottleneck.codebook.frozen.double()

    def literal(z, parameters):
        codes = torch.stack([row @ parameters["codebook.weight"] for row in frozen])
        if unit:
            z, codes = z / z.norm(dim=-1, keepdim=True), codes / codes.norm(dim=-1, keepdim=True)
        read, commit, codebook = [], 0, 0
        for vector in z:
            code = codes[int((vector - codes).square().sum(-1).argmin())]
            read.append(vector + (code - vector).detach())
            commit = commit + 0.25 * (vector - code.detach()).square().mean()
            codebook = codebook + (vector.detach() - code).square().mean()
        return torch.stack(read), {"commitment": commit, "codebook": codebook}

    compare(bottleneck, literal)


@pytest.mark.parametrize("rotation", [False, True])
def test_against_vector_quantize_pytorch(rotation):
    """Difference of definition: their loss is a mean over positions, ours a sum (18 positions here)."""
    ours = small("sim_vq", estimator="rotation" if rotation else "straight_through")
    theirs = SimVQ(6, 16, rotation_trick=rotation)
    with torch.no_grad():
        theirs.frozen_codebook.copy_(ours.codebook.frozen)
        theirs.code_transform.weight.copy_(ours.codebook.weight.t())
    z, _ = batch()
    output = ours(z, torch.ones(3, 6, dtype=torch.bool))
    quantized, codes, loss = theirs(z)
    assert torch.equal(output.codes, codes)
    torch.testing.assert_close(output.quantized, quantized)
    total = sum(part for part, _ in output.losses.values())
    torch.testing.assert_close(total, 18 * loss)
    probe = torch.randn(z.shape)
    mine = torch.autograd.grad((output.quantized * probe).sum() + total, [z, ours.codebook.weight])
    # Theirs turns the rotated vector's gradient to the codes off as ours does; only the losses train them.
    other = torch.autograd.grad((quantized * probe).sum() + 18 * loss, [z, theirs.code_transform.weight])
    torch.testing.assert_close(mine[0], other[0], rtol=1e-3, atol=1e-5)
    torch.testing.assert_close(mine[1], other[1].t(), rtol=1e-3, atol=1e-5)


def test_only_the_map_learns():
    bottleneck = small("sim_vq")
    assert [name for name, _ in bottleneck.named_parameters()] == ["codebook.weight"]
    assert bottleneck.started
