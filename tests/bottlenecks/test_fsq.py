"""``fsq`` against its equations and against vector-quantize-pytorch."""

import math

import pytest
import torch
from quantizing import batch, compare, small
from vector_quantize_pytorch import FSQ


@pytest.mark.parametrize("levels", ["4,3", "8,5,5,5", "2,2,7"])
def test_against_the_equations(levels):
    bottleneck = small("fsq", fsq_levels=levels)
    numbers = [int(word) for word in levels.split(",")]
    found = []

    def literal(z, parameters):
        read = []
        for vector in z:
            u = parameters["down.weight"] @ vector + parameters["down.bias"]
            grid, code, place = [], 0, 1
            for coordinate, count in zip(u, numbers, strict=True):
                half = (count - 1) * 1.001 / 2
                offset = 0.5 if count % 2 == 0 else 0.0
                bounded = half * torch.tanh(coordinate + math.atanh(offset / half)) - offset
                step = round(float(bounded))
                grid.append((bounded + (step - bounded).detach()) / (count // 2))
                code += (step + count // 2) * place
                place *= count
            found.append(code)
            read.append(parameters["up.weight"] @ torch.stack(grid) + parameters["up.bias"])
        return torch.stack(read), {}

    output = compare(bottleneck, literal)
    assert output.codes[batch()[1]].tolist() == found
    assert bottleneck.num_codes == math.prod(numbers)


@pytest.mark.parametrize("levels", [[4, 3], [8, 6, 5]])
def test_against_vector_quantize_pytorch(levels):
    """The same up to the linear layers, which their class has too when the dimensions differ."""
    ours = small("fsq", fsq_levels=",".join(map(str, levels)))
    theirs = FSQ(levels, dim=6)
    for mine, other in ((ours.down, theirs.project_in), (ours.up, theirs.project_out)):
        other.load_state_dict(mine.state_dict())
    z, _ = batch()
    output = ours(3 * z, torch.ones(3, 6, dtype=torch.bool))
    quantized, codes = theirs(3 * z)
    assert torch.equal(output.codes, codes.long())
    torch.testing.assert_close(output.quantized, quantized)
    probe = torch.randn(z.shape)
    gradients = [torch.autograd.grad((q * probe).sum(), z)[0] for q in (output.quantized, quantized)]
    torch.testing.assert_close(*gradients)
    torch.testing.assert_close(ours.embed(output.codes), theirs.indices_to_codes(codes))


def test_every_code_is_reached():
    bottleneck = small("fsq", fsq_levels="4,3").eval()
    z = 10 * torch.randn(1, 2000, 6)
    assert bottleneck(z, torch.ones(1, 2000, dtype=torch.bool)).codes.unique().tolist() == list(range(12))


@pytest.mark.parametrize("levels", ["", "8,x", "1,5", "256,256,2", "-3,-3"])
def test_impossible_levels(levels):
    with pytest.raises(ValueError, match=r"--fsq-levels .* is not possible; valid: numbers of 2 or more"):
        small("fsq", fsq_levels=levels)
