"""``gm_vq`` against its equations, the noises replayed."""

import math

import pytest
import torch
import torch.nn.functional as F
from quantizing import batch, compare, small

from vqnat.bottlenecks.core import relaxed


@pytest.mark.parametrize(
    ("options", "training"),
    [({}, True), ({}, False), ({"gm_entropy": 3.0, "gm_distance": 0.6}, True)],
)
def test_against_the_equations(monkeypatch, options, training):
    bottleneck = small("gm_vq", **options).train(training)
    bottleneck.set_num_updates(25_000)
    temperature = 0.1 + (2 - 0.1) / 2
    _, mask = batch()
    torch.manual_seed(8)
    gumbel, normal = relaxed.gumbel_like(torch.empty(18, 16)), torch.randn(18, 6)
    monkeypatch.setattr(relaxed, "gumbel_like", lambda logits: gumbel)
    monkeypatch.setattr(torch, "randn_like", lambda mixed: normal)
    real = mask.reshape(-1)
    gamma, beta = options.get("gm_distance", 0.25), options.get("gm_entropy", 1.0)
    found = []

    def literal(z, parameters):
        means, read, distance, posterior = parameters["codebook.weight"], [], 0, []
        for vector, g, eps in zip(z, gumbel[real].double(), normal[real].double(), strict=True):
            a = parameters["sharpness.weight"] @ vector + parameters["sharpness.bias"]
            w = (1 + a.exp()).log()
            p = torch.stack([-0.5 * (w * (vector - mean).square()).sum() for mean in means]).softmax(0)
            posterior.append(p)
            distance = distance + gamma * sum(x * (vector - m).square().mean() for x, m in zip(p, means, strict=True))
            if training:
                y = ((p.log() + g) / temperature).softmax(0)
                mixed = y @ means
                variance = (vector - mixed).square().sum() / (2 * len(vector))
                read.append(mixed + variance.sqrt() * eps)
            else:
                y = p
                read.append(means[int(p.argmax())])
            found.append(int(y.argmax()))
        mean = torch.stack(posterior).mean(0)
        divergence = beta * len(z) * sum(x * (16 * x).log() for x in mean)
        return torch.stack(read), {"distance": distance, "uniform": divergence}

    output = compare(bottleneck, literal, rtol=1e-3, atol=1e-4)
    assert output.codes[mask].tolist() == found


def test_the_uniform_term_is_the_divergence_of_the_mean():
    """All vectors at one code: log K; as many at each code, far apart: 0."""
    bottleneck = small("gm_vq")
    with torch.no_grad():
        bottleneck.codebook.weight.mul_(30)
        bottleneck.sharpness.weight.zero_()
    vectors = bottleneck.codebook.weight.detach()
    for z, expected in ((vectors[None], 0.0), (vectors[:1].expand(1, 16, 6), math.log(16))):
        total, count = bottleneck(z, torch.ones(1, 16, dtype=torch.bool)).losses["uniform"]
        assert float(total / count) == pytest.approx(expected, abs=1e-5)


def test_unused_codes_give_no_nan():
    bottleneck = small("gm_vq")
    z = (100 * torch.randn(2, 5, 6)).requires_grad_()
    output = bottleneck(z, torch.ones(2, 5, dtype=torch.bool))
    total = sum(part for part, _ in output.losses.values()) + output.quantized.sum()
    gradients = torch.autograd.grad(total, [z, *bottleneck.parameters()])
    assert total.isfinite() and all(g.isfinite().all() for g in gradients)


def test_sharpness_starts_as_the_variance_within_clusters():
    bottleneck = small("gm_vq", codebook_start="kmeans", codebook_start_updates=2)
    vectors = torch.randn(2, 3, 20, 6)
    for z in vectors:
        bottleneck(z, torch.ones(3, 20, dtype=torch.bool))
        bottleneck.apply_update()
    rows = vectors.view(-1, 6)
    distances = torch.cdist(rows.double(), bottleneck.codebook.weight.double()).min(-1).values.square()
    sharpness = F.softplus(bottleneck.sharpness(torch.randn(5, 6)))
    torch.testing.assert_close(sharpness, torch.full((5, 6), 6 / float(distances.mean())), rtol=1e-4, atol=0)
