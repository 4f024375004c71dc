"""Estimators against the matrices they stand for."""

import pytest
import torch
from quantizing import compare, small
from vector_quantize_pytorch.vector_quantize_pytorch import rotate_to

from vqnat.bottlenecks.core.estimator import rotate, straight_through


def rotation(z, q):
    """The rotation from z's direction to q's within their plane, by Rodrigues' formula; float64 (D, D)."""
    one = z / z.norm()
    cosine = one @ q / q.norm()
    rest = q - (q @ one) * one
    two, sine = rest / rest.norm(), (1 - cosine**2).sqrt()
    plane = torch.outer(one, one) + torch.outer(two, two)
    turn = torch.outer(two, one) - torch.outer(one, two)
    return torch.eye(len(z), dtype=z.dtype) + sine * turn + (cosine - 1) * plane


def test_rotation_against_the_matrix():
    generator = torch.Generator().manual_seed(1)
    z = torch.randn(20, 5, generator=generator).requires_grad_()
    q, probe = torch.randn(20, 5, generator=generator), torch.randn(20, 5, generator=generator)
    output = rotate(z, q)
    torch.testing.assert_close(output, q)
    (gradient,) = torch.autograd.grad((output * probe).sum(), z)
    for row in range(20):
        one, two = z[row].detach().double(), q[row].double()
        matrix = rotation(one, two) * two.norm() / one.norm()
        torch.testing.assert_close(matrix @ one, two)  # the reference is right
        torch.testing.assert_close(gradient[row].double(), matrix.T @ probe[row].double(), rtol=1e-4, atol=1e-5)


def test_rotation_against_vector_quantize_pytorch():
    z, q = torch.randn(20, 5).requires_grad_(), torch.randn(20, 5)
    probe = torch.randn(20, 5)
    gradients = [torch.autograd.grad((f(z, q) * probe).sum(), z)[0] for f in (rotate, rotate_to)]
    torch.testing.assert_close(*gradients, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("case", ["opposite", "equal", "z is zero", "q is zero"])
def test_rotation_where_the_formula_divides_by_zero(case):
    z, q = torch.tensor([[3.0, 4.0, 0.0]]), torch.tensor([[1.0, 2.0, 2.0]])
    z, q = {"opposite": (z, -2 * z), "equal": (z, z), "z is zero": (0 * z, q), "q is zero": (z, 0 * q)}[case]
    z = z.clone().requires_grad_()
    output = rotate(z, q)
    assert torch.equal(output, q) or torch.allclose(output, q, atol=1e-6)
    (gradient,) = torch.autograd.grad(output.sum(), z)
    assert gradient.isfinite().all()
    assert gradient.abs().max() < 10
    if "zero" in case:
        assert torch.equal(gradient, torch.ones_like(z))


def test_straight_through_passes_the_gradient_as_it_is():
    z, q, probe = torch.randn(4, 5).requires_grad_(), torch.randn(4, 5), torch.randn(4, 5)
    assert torch.equal(torch.autograd.grad((straight_through(z, q) * probe).sum(), z)[0], probe)


def test_a_quantizer_with_rotation():
    def literal(z, parameters):
        codes, read, commit, codebook = parameters["codebook.weight"], [], 0, 0
        for vector in z:
            code = codes[int((vector - codes).square().sum(-1).argmin())]
            matrix = rotation(vector.detach(), code.detach()) * code.detach().norm() / vector.detach().norm()
            read.append(matrix @ vector)
            commit = commit + 0.25 * (vector - code.detach()).square().mean()
            codebook = codebook + (vector.detach() - code).square().mean()
        return torch.stack(read), {"commitment": commit, "codebook": codebook}

    compare(small("vq", estimator="rotation"), literal)
