"""The linear map that oneDNN trains is the linear map."""

import pytest
import torch
from torch import nn

from vqnat.kernels import linear
from vqnat.kernels.linear import Linear, linear_reference, onednn_product


@pytest.fixture
def maps(monkeypatch):
    """Ours, with no product too small for oneDNN, and torch's with the same weights."""
    monkeypatch.setattr(linear, "LEAST", 0)

    def make(inputs, outputs, bias=True):
        torch.manual_seed(1)
        ours, theirs = Linear(inputs, outputs, bias), nn.Linear(inputs, outputs, bias)
        theirs.load_state_dict(ours.state_dict())
        return ours, theirs

    return make


def by_onednn(y):
    return type(y.grad_fn).__name__ == "_OneDnnLinearBackward"


INPUTS = {
    "rows": lambda: torch.randn(5, 24),
    "one row": lambda: torch.randn(1, 24),
    "batch": lambda: torch.randn(3, 4, 24),
    "part of a wider tensor": lambda: torch.randn(3, 4, 72).chunk(3, -1)[1],
    "transposed": lambda: torch.randn(3, 24, 4).transpose(1, 2),
    "one row for all": lambda: torch.randn(24).expand(3, 4, 24),
}
GRADIENTS = {
    "dense": lambda shape: torch.randn(shape),
    "of a sum": lambda shape: torch.ones(()).expand(shape),
    "transposed": lambda shape: torch.randn(*shape[:-2], shape[-1], shape[-2]).transpose(-1, -2),
    "every other": lambda shape: torch.randn(*shape[:-1], 2 * shape[-1])[..., ::2],
}


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("of", GRADIENTS)
@pytest.mark.parametrize("what", INPUTS)
def test_values_and_gradients_are_torchs(maps, what, of, bias):
    ours, theirs = maps(24, 40, bias)
    found = []
    x, above = INPUTS[what](), None
    for layer in (ours, theirs):
        leaf = x.detach().requires_grad_()  # keeps the strides
        y = layer(leaf)
        above = GRADIENTS[of](y.shape) if above is None else above
        found.append([y, *torch.autograd.grad(y, [leaf, *layer.parameters()], above)])
        assert by_onednn(y) == (layer is ours)
    for mine, expected in zip(*found, strict=True):
        assert mine.shape == expected.shape
        torch.testing.assert_close(mine, expected, rtol=1e-4, atol=1e-4)


def test_the_product_equals_the_reference():
    x, weight, bias = torch.randn(3, 4, 24), torch.randn(40, 24), torch.randn(40)
    for given in (None, bias):
        found = onednn_product(x, weight, given)
        torch.testing.assert_close(found, linear_reference(x, weight, given), rtol=1e-5, atol=1e-5)


def test_what_needs_no_gradient_gets_none(maps):
    ours, _ = maps(24, 40)
    ours.weight.requires_grad_(False)
    x = torch.randn(5, 24)
    ours(x).sum().backward()
    assert ours.weight.grad is None and ours.bias.grad.tolist() == [5.0] * 40
    ours.requires_grad_(False)
    leaf = x.clone().requires_grad_()
    ours(leaf).sum().backward()
    torch.testing.assert_close(leaf.grad, ours.weight.sum(0).expand(5, -1))


def test_it_leaves_other_cases_to_torch(maps, monkeypatch):
    ours, theirs = maps(24, 40)
    x = torch.randn(5, 24)
    with torch.autocast("cpu", torch.bfloat16):
        y = ours(x)
        assert y.dtype == torch.bfloat16 and not by_onednn(y)
        assert torch.equal(y, theirs(x))
    y = ours.double()(x.double())
    assert y.dtype == torch.float64 and not by_onednn(y)
    ours.float()
    monkeypatch.setattr(linear, "LEAST", 5 * 24 * 40 + 1)
    assert not by_onednn(ours(x))
    assert by_onednn(ours(torch.randn(6, 24)))


def test_an_exported_graph_holds_for_all_sizes(maps, monkeypatch):
    ours, theirs = maps(24, 40)
    monkeypatch.setattr(linear, "LEAST", 5 * 24 * 40)  # sizes on both sides of it
    rows = torch.export.Dim("rows", min=2)
    program = torch.export.export(ours, (torch.randn(4, 24),), dynamic_shapes=({0: rows},))
    assert not [node for node in program.graph.nodes if "mkldnn" in str(node.target)]
    for count in (2, 5, 300):
        x = torch.randn(count, 24)
        torch.testing.assert_close(program.module()(x), theirs(x))
