"""``semhash`` against its equations, the noise replayed."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from quantizing import batch, compare, small

from vqnat.bottlenecks.core import bits


def output_layer(c, parameters):
    ones = parameters["ones.weight"] @ c + parameters["ones.bias"]
    return parameters["output.weight"] @ (ones + parameters["zeros.weight"] @ (1 - c)) + parameters["output.bias"]


def saturating(logit):
    y = 1.2 * torch.sigmoid(logit) - 0.1
    return y if 0 < y < 1 else y.detach().clamp(0, 1) + 0 * y


@pytest.mark.parametrize("training", [True, False])
def test_against_the_equations(training):
    bottleneck = small("semhash", semhash_noise=0.7).train(training)
    _, mask = batch()
    torch.manual_seed(5)
    noise = torch.randn(18, 4).view(3, 6, 4)[mask].double() * training
    discrete = (torch.rand(3) < 0.5).tolist() if training else [True] * 3
    assert not training or len(set(discrete)) == 2, "choose a seed that tests both"
    sentences = mask.nonzero()[:, 0].tolist()
    found = []

    def literal(z, parameters):
        read = []
        for vector, g, sentence in zip(z, 0.7 * noise, sentences, strict=True):
            logits = parameters["logits.weight"] @ vector + parameters["logits.bias"] + g
            y = torch.stack([saturating(logit) for logit in logits])
            hard = torch.tensor([float(value > 0.5) for value in y], dtype=torch.double)
            found.append(int("".join(str(int(bit)) for bit in hard), 2))
            read.append(output_layer(hard + y - y.detach() if discrete[sentence] else y, parameters))
        return torch.stack(read), {}

    torch.manual_seed(5)
    output = compare(bottleneck, literal)
    assert output.codes[mask].tolist() == found


@given(st.integers(1, 16), st.data())
def test_bits_round_trip(num_bits, data):
    code = data.draw(st.integers(0, 2**num_bits - 1))
    pattern = bits.to_bits(torch.tensor([code]), num_bits)
    assert "".join(str(int(bit)) for bit in pattern[0]) == format(code, f"0{num_bits}b")
    assert bits.to_codes(pattern).tolist() == [code]


def test_different_codes_are_read_differently():
    bottleneck = small("semhash")
    vectors = bottleneck.embed(torch.arange(16))
    distances = torch.cdist(vectors, vectors) + torch.eye(16)
    assert distances.min() > 1e-2


def test_share_of_bits_grows():
    bottleneck = small("semhash", semhash_discrete_updates=1000)
    shares = []
    for step in (0, 500, 1000, 5000):
        bottleneck.set_num_updates(step)
        shares.append(bottleneck.scalars()["discrete_share"])
    assert shares == pytest.approx([0.005, 0.05, 0.5, 0.5])


def test_codes_are_bits():
    with pytest.raises(ValueError, match="--codebook-size 12 is not possible; valid: a power of 2"):
        small("semhash", codebook_size=12)
