"""The softmax-relaxed bottlenecks against their equations, with the same Gumbel noise."""

import math

import pytest
import torch
from quantizing import batch, compare, small

from vqnat.bottlenecks.core import relaxed, schedules
from vqnat.errors import UserError

NOISE = torch.empty(18, 16).exponential_(generator=torch.Generator().manual_seed(4)).log().neg()


@pytest.fixture
def fixed_noise(monkeypatch):
    monkeypatch.setattr(relaxed, "gumbel_like", lambda logits: NOISE.to(logits.dtype))
    return NOISE[batch()[1].reshape(-1)].double()  # (n, K) at real positions


def mixture(log_p, noise, temperature, codes):
    y = ((log_p + noise) / temperature).softmax(0)
    return y, sum(share * code for share, code in zip(y, codes, strict=True))


@pytest.mark.parametrize("step", [0, 20_000, 400_000])
def test_gumbel_softmax(fixed_noise, step):
    bottleneck = small("gumbel_softmax", gumbel_warm_share=0.0)
    bottleneck.set_num_updates(step)
    temperature = max(1.2 - 1.0 * step / 150_000, 0.2)
    scale = 0.5 * math.exp(math.log(0.01) * max(0, 1 - step / 30_000))
    found = []

    def literal(z, parameters):
        read = []
        for vector, g in zip(z, fixed_noise, strict=True):
            log_p = (parameters["to_logits.weight"] @ vector + parameters["to_logits.bias"]).log_softmax(0)
            y, q = mixture(log_p, scale * g, temperature, parameters["codebook.weight"])
            found.append(int(y.argmax()))
            read.append(q)
        return torch.stack(read), {}

    output = compare(bottleneck, literal)
    assert output.codes[batch()[1]].tolist() == found
    assert bottleneck.scalars() == pytest.approx({"temperature": temperature, "gumbel_noise": scale})


def test_some_updates_of_gumbel_softmax_are_warm():
    bottleneck = small("gumbel_softmax", temperature_end=0.01, temperature_updates=0)
    seen = []
    for step in range(2000):
        bottleneck.set_num_updates(step)
        seen.append(bottleneck.temperature())
        assert seen[-1] == bottleneck.temperature(), "a pure function of the update number"
    warm = [t for t in seen if t > 0.02]
    assert 0.07 < len(warm) / 2000 < 0.13
    assert min(warm) < 0.55 and max(warm) > 0.95 and all(0.5 <= t <= 1 for t in warm)


@pytest.mark.parametrize("step", [0, 1000, 200_000])
def test_gumbel_vqvae(fixed_noise, step):
    bottleneck = small("gumbel_vqvae", gumbel_kl=0.7)
    bottleneck.set_num_updates(step)
    temperature = 1 / 16 + (1 - 1 / 16) * (1 + math.cos(math.pi * min(step / 150_000, 1))) / 2
    weight = 0.7 * (1 - math.cos(math.pi * min(step / 5000, 1))) / 2

    def literal(z, parameters):
        read, divergence = [], z.sum() * 0
        for vector, g in zip(z, fixed_noise, strict=True):
            p = (parameters["to_logits.weight"] @ vector + parameters["to_logits.bias"]).softmax(0)
            read.append(mixture(p.log(), g, temperature, parameters["codebook.weight"])[1])
            divergence = divergence + weight * sum(x * (16 * x).log() for x in p)
        return torch.stack(read), {"uniform": divergence}

    # At the temperature 1/16 the mixture's slopes are 16 times steeper.
    compare(bottleneck, literal, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(("step", "training"), [(0, True), (100_000, True), (0, False)])
def test_sq_vae(fixed_noise, step, training):
    bottleneck = small("sq_vae").train(training)
    bottleneck.set_num_updates(step)
    temperature = math.exp(-1e-5 * step)
    assert bottleneck.temperature() == pytest.approx(temperature)

    def literal(z, parameters):
        codes, variance = parameters["codebook.weight"], 1 + parameters["log_variance"].exp()
        read, entropy, distance = [], 0, 0
        for vector, g in zip(z, fixed_noise, strict=True):
            log_p = (-(vector - codes).square().sum(1) / (2 * variance)).log_softmax(0)
            q = mixture(log_p, g, temperature, codes)[1] if training else codes[int(log_p.argmax())]
            read.append(q)
            entropy = entropy + sum(x.exp() * x for x in log_p)
            distance = distance + (vector - q).square().sum() / (2 * variance)
        return torch.stack(read), {"entropy": entropy, "distance": distance}

    output = compare(bottleneck, literal)
    assert float(bottleneck.variance()) == pytest.approx(21)  # the first: 1 + 20
    if not training:
        z, mask = batch()
        nearest = torch.cdist(z, bottleneck.codebook.weight.expand(3, 16, 6)).argmin(-1)
        assert torch.equal(output.codes[mask], nearest[mask])


def test_the_variance_of_sq_vae_starts_as_that_within_clusters():
    bottleneck = small("sq_vae", codebook_start="kmeans", codebook_start_updates=1, sq_variance=0.0)
    z, mask = torch.randn(3, 20, 6), torch.ones(3, 20, dtype=torch.bool)
    bottleneck(z, mask)
    bottleneck.apply_update()
    distances = torch.cdist(z.view(-1, 6).double(), bottleneck.codebook.weight.double()).min(-1).values.square()
    assert float(bottleneck.variance()) == pytest.approx(float(distances.mean()) / 6, rel=1e-4)
    with pytest.raises(UserError, match=r"--sq-variance 0.0 is not possible; valid: more than 0 with random codes"):
        small("sq_vae", codebook_start="random", sq_variance=0.0)


def test_sq_vae_survives_temperature_zero():
    bottleneck = small("sq_vae")
    bottleneck.set_num_updates(10**8)
    z, mask = batch()
    output = bottleneck(z, mask)
    (gradient,) = torch.autograd.grad(output.quantized.sum(), z)
    assert output.quantized.isfinite().all() and gradient.isfinite().all()
    torch.testing.assert_close(output.quantized[mask], bottleneck.embed(output.codes)[mask])


def test_gumbel_noise_is_gumbel():
    torch.manual_seed(3)
    noise = relaxed.gumbel_like(torch.empty(200_000))
    assert float(noise.mean()) == pytest.approx(0.5772, abs=0.02)
    assert float(noise.var()) == pytest.approx(math.pi**2 / 6, abs=0.04)


def test_the_given_temperatures_replace_the_defaults():
    bottleneck = small("gumbel_vqvae", temperature_start=3.0, temperature_end=1.0, temperature_updates=10)
    temperatures = []
    for step in (0, 5, 10, 20):
        bottleneck.set_num_updates(step)
        temperatures.append(bottleneck.scalars()["temperature"])
    assert temperatures == pytest.approx([3, 2, 1, 1])


def test_the_model_passes_the_update_number_on():
    from fairseq.models import BaseFairseqModel

    class Model(BaseFairseqModel):
        def __init__(self):
            super().__init__()
            self.bottleneck = small("gumbel_vqvae")

    model = Model()
    model.set_num_updates(75_000)
    assert model.bottleneck.scalars()["temperature"] == pytest.approx((1 + 1 / 16) / 2)


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        (lambda n: schedules.linear(n, 2.0, 1.0, 100), [2.0, 1.5, 1.0, 1.0]),
        (lambda n: schedules.cosine(n, 2.0, 1.0, 100), [2.0, 1.5, 1.0, 1.0]),
        (lambda n: schedules.exponential(n, 2.0, 0.5, 100), [2.0, 2 / math.e**0.5, 2 / math.e, 0.5]),
        (lambda n: schedules.ramp(n, 2.0, 100), [0.02, 0.2, 2.0, 2.0]),
        (lambda n: schedules.linear(n, 2.0, 1.0, 0), [1.0] * 4),
        (lambda n: schedules.exponential(n, 2.0, 0.5, 0), [2.0, 0.5, 0.5, 0.5]),
    ],
)
def test_schedules(shape, expected):
    assert [shape(step) for step in (0, 50, 100, 300)] == pytest.approx(expected)
