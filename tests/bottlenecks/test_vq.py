"""``vq`` and the options of its codebook against the equations, one vector at a time, in float64."""

import pytest
import torch
import torch.nn.functional as F
from quantizing import batch, compare, small
from vector_quantize_pytorch import VectorQuantize

STEPS = 20


def closest(vector, codes):
    return int((vector.detach() - codes.detach()).square().sum(-1).argmin())


def reference(z, codes, commitment=0.25, weight=1.0):
    """van den Oord et al. 2017, eq. 3, with means over dimensions, and the straight-through vectors."""
    read, commit, codebook = [], 0, 0
    for vector in z:
        code = codes[closest(vector, codes)]
        read.append(vector + (code - vector).detach())
        commit = commit + commitment * (vector - code.detach()).square().mean()
        codebook = codebook + weight * (vector.detach() - code).square().mean()
    return torch.stack(read), {"commitment": commit, "codebook": codebook}


def affine(parameters, scale=2.0):
    return (1 + scale * parameters["codebook.scale"]) * parameters["codebook.weight"] + scale * parameters[
        "codebook.shift"
    ]


def test_forward_losses_and_gradients():
    compare(
        small("vq", codebook_weight=0.7, commitment=0.4),
        lambda z, p: reference(z, p["codebook.weight"], commitment=0.4, weight=0.7),
    )


def test_on_the_sphere():
    def literal(z, parameters):
        return reference(z / z.norm(dim=-1, keepdim=True), F.normalize(parameters["codebook.weight"], dim=-1))

    bottleneck = small("vq", codebook_l2=True)
    torch.nn.init.normal_(bottleneck.codebook.weight)  # of other lengths than 1
    output = compare(bottleneck, literal)
    z, mask = batch()
    cosine = F.cosine_similarity(z.unsqueeze(2), bottleneck.codebook.weight, dim=-1)
    assert torch.equal(output.codes[mask], cosine.argmax(-1)[mask])


def test_affine():
    bottleneck = small("vq", codebook_affine=2.0)
    with torch.no_grad():
        bottleneck.codebook.scale.normal_(std=0.1)
        bottleneck.codebook.shift.normal_(std=0.1)
    compare(bottleneck, lambda z, p: reference(z, affine(p)))


def inner_step(z, weight, parameters, rate, multiplier, unit):
    """One step of gradient descent on the mean codebook loss, by autograd, with s and b held constant."""
    leaf = weight.detach().clone().requires_grad_()
    constant = {name: value.detach() for name, value in parameters.items()} | {"codebook.weight": leaf}
    codes = affine(constant, multiplier) if multiplier else leaf
    codes = F.normalize(codes, dim=-1) if unit else codes
    assigned = [closest(vector, codes) for vector in z]
    losses = [(vector.detach() - codes[j]).square().mean() for vector, j in zip(z, assigned, strict=True)]
    (gradient,) = torch.autograd.grad(torch.stack(losses).mean(), leaf)
    return weight.detach() - rate * gradient, assigned


@pytest.mark.parametrize(("multiplier", "unit"), [(0.0, False), (2.0, False), (2.0, True)])
def test_alternating_optimization(multiplier, unit):
    """The decoder and the losses read the codes after the inner step, with the assignment from before it."""
    rate = 5.0
    bottleneck = small("vq", codebook_inner_lr=rate, codebook_affine=multiplier, codebook_l2=unit)
    if multiplier:
        with torch.no_grad():
            bottleneck.codebook.scale.normal_(std=0.1)
            bottleneck.codebook.shift.normal_(std=0.1)

    def literal(z, parameters):
        z = F.normalize(z, dim=-1) if unit else z
        moved, assigned = inner_step(z, parameters["codebook.weight"], parameters, rate, multiplier, unit)
        codes = affine(parameters | {"codebook.weight": moved}, multiplier) if multiplier else moved
        codes = F.normalize(codes, dim=-1) if unit else codes
        chosen = codes[assigned]
        losses = {
            "commitment": 0.25 * (z - chosen.detach()).square().mean(-1).sum(),
            "codebook": (z.detach() - chosen).square().mean(-1).sum(),
        }
        return z + (chosen - z).detach(), losses

    before = bottleneck.codebook.weight.clone()
    compare(bottleneck, literal)
    assert torch.equal(bottleneck.codebook.weight, before), "forward moved the codebook"
    z, mask = batch()
    parameters = {name: p.detach().double() for name, p in bottleneck.named_parameters()}
    points = z.detach().double()[mask]
    points = F.normalize(points, dim=-1) if unit else points
    expected, _ = inner_step(points, before.double(), parameters, rate, multiplier, unit)
    bottleneck.apply_update()
    torch.testing.assert_close(bottleneck.codebook.weight.double(), expected, rtol=1e-5, atol=1e-6)
    assert not torch.equal(bottleneck.codebook.weight, before)


def test_the_optimizer_never_sees_alternating_codes():
    bottleneck = small("vq", codebook_inner_lr=1.0, codebook_affine=2.0)
    assert [n for n, p in bottleneck.named_parameters() if p.requires_grad] == ["codebook.scale", "codebook.shift"]


def test_micro_batches_of_the_alternating_step_add_up():
    one, two = small("vq", codebook_inner_lr=2.0), small("vq", codebook_inner_lr=2.0)
    z, mask = batch()
    one(z, mask)
    for row in range(3):
        two(z[row : row + 1], mask[row : row + 1])
    for bottleneck in (one, two):
        bottleneck.apply_update()
    torch.testing.assert_close(one.codebook.weight, two.codebook.weight)


@pytest.mark.parametrize("alternating", [False, True])
def test_codebook_after_one_and_twenty_steps(alternating):
    rate = 2.0
    bottleneck = small("vq", codebook_inner_lr=rate if alternating else 0.0)
    codes = bottleneck.codebook.weight.detach().double().clone()
    counts = torch.ones(16, dtype=torch.double)
    # Under the optimizer the loss is a sum; the inner step's is a mean over positions.
    optimizer = None if alternating else torch.optim.SGD(bottleneck.parameters(), lr=0.05)
    for step in range(STEPS):
        z, mask = batch(seed=step)
        loss = bottleneck(z, mask).losses["codebook"][0]
        if optimizer:
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        bottleneck.apply_update()
        points = z.detach().double()[mask]
        assigned = [closest(vector, codes) for vector in points]
        gradient, seen = torch.zeros_like(codes), torch.zeros(16, dtype=torch.double)
        for vector, j in zip(points, assigned, strict=True):
            gradient[j] += 2 * (codes[j] - vector) / len(vector)
            seen[j] += 1
        codes -= (rate / len(points) if alternating else 0.05) * gradient
        counts = 0.999 * counts + 0.001 * seen
        torch.testing.assert_close(bottleneck.codebook.weight.double(), codes, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(bottleneck.codebook.counts.double(), counts, rtol=1e-5, atol=1e-6)


def test_against_vector_quantize_pytorch():
    """Their learnable codebook gives the same codes, output and gradients.

    Difference of definition: theirs is one squared error, mean over positions and dimensions, whose gradient
    reaches z and the codes with one weight; ours are two sums over positions with a weight each.
    """
    ours = small("vq", commitment=0.3, codebook_weight=0.3)
    theirs = VectorQuantize(
        **{"dim": 6, "codebook_size": 16, "learnable_codebook": True, "ema_update": False, "rotation_trick": False},
        **{"commitment_weight": 0.3},
    )
    with torch.no_grad():
        theirs._codebook.embed.copy_(ours.codebook.weight.unsqueeze(0))
    z, _ = batch()
    output = ours(z, torch.ones(3, 6, dtype=torch.bool))
    quantized, codes, loss = theirs(z)
    assert torch.equal(output.codes, codes)
    torch.testing.assert_close(output.quantized, quantized)
    total = sum(part for part, _ in output.losses.values())
    torch.testing.assert_close(total, 2 * 18 * loss.squeeze())
    mine = torch.autograd.grad(total, [z, ours.codebook.weight])
    other = torch.autograd.grad(loss * 18, [z, theirs._codebook.embed])
    torch.testing.assert_close(mine[0], other[0])
    torch.testing.assert_close(mine[1], other[1][0])


@pytest.mark.parametrize("options", [{}, {"codebook_affine": 2.0}, {"codebook_inner_lr": 1.0}, {"codebook_l2": True}])
def test_the_start_puts_codes_where_the_data_are(options):
    bottleneck = small("vq", codebook_size=8, codebook_start="data", codebook_start_updates=3, **options)
    if "codebook_affine" in options:
        with torch.no_grad():
            bottleneck.codebook.scale.fill_(0.2)
            bottleneck.codebook.shift.fill_(0.3)
    centers = 10 * torch.randn(8, 6, generator=torch.Generator().manual_seed(9))
    for step in range(3):
        assert not bottleneck.started
        z = centers.repeat(4, 1, 1) + 0.01 * torch.randn(4, 8, 6, generator=torch.Generator().manual_seed(step))
        output = bottleneck(z, torch.ones(4, 8, dtype=torch.bool))
        torch.testing.assert_close(output.quantized, F.normalize(z, dim=-1) if "codebook_l2" in options else z)
        assert set(output.losses) == {"commitment", "codebook"}
        bottleneck.apply_update()
    assert bottleneck.started
    centers = F.normalize(centers, dim=-1) if "codebook_l2" in options else centers
    distances = torch.cdist(bottleneck.codebook.vectors().detach(), centers).min(1).values
    assert (distances < 0.1).all(), "every code is one of the vectors"


def test_dead_codes_are_replaced_by_vectors_of_the_batch():
    bottleneck = small("vq", dead_code_threshold=0.5, codebook_affine=2.0)
    with torch.no_grad():
        bottleneck.codebook.scale.fill_(0.2)
        bottleneck.codebook.shift.fill_(0.3)
        bottleneck.codebook.weight[3:] = 1e3  # never the nearest
    bottleneck.codebook.counts[3:] = 0.001
    z, mask = batch()
    bottleneck(z, mask)
    bottleneck.apply_update()
    rows, codes = z.detach()[mask], bottleneck.codebook.vectors().detach()
    distances = torch.cdist(codes[3:], rows).min(1).values
    assert (distances < 1e-5).sum() == min(13, len(rows)), "each real vector replaces at most one code"
    replaced = bottleneck.codebook.counts[3:][distances < 1e-5]
    assert (replaced > 0.1).all(), "a replaced code starts with the mean count"


def test_timeout_replaces_a_code_that_was_common():
    bottleneck = small("hard_em", dead_code_timeout=4, ema_decay=0.999)
    bottleneck.codebook.counts[5] = 100.0
    bottleneck.codebook.sums[5] = 1e6
    bottleneck.codebook._refresh()
    for step in range(4):
        assert bottleneck.codebook.embedding[5].min() > 1e3, step
        bottleneck(*batch(seed=step))
        bottleneck.apply_update()
    assert bottleneck.codebook.embedding[5].abs().max() < 10
    assert int(bottleneck.codebook.idle[5]) == 0
