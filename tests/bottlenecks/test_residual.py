"""``residual_vq`` against algorithm 1 of SoundStream, written out one vector at a time in float64."""

import pytest
import torch
from quantizing import batch, compare, small

from vqnat.bottlenecks.em import SMOOTHING

LEVELS = {"codebook_size": 64, "residual_levels": 3}


def literal(vector, codebooks):
    """Algorithm 1: the code, the sum of the code vectors, and the squared error of each level."""
    residual, total, code, errors = vector, 0, 0, []
    for level, codes in enumerate(codebooks):
        index = int((residual.detach() - codes).square().sum(-1).argmin())
        errors.append((residual - codes[index]).square().mean())
        code += index * len(codes) ** level
        total = total + codes[index]
        residual = residual - codes[index]
    return code, total, errors


def vectors_of(bottleneck):
    return [codebook.embedding.double() for codebook in bottleneck.codebooks]


@pytest.mark.parametrize("estimator", ["straight_through", "rotation"])
def test_against_the_equations(estimator):
    bottleneck = small("residual_vq", residual_estimator=estimator, commitment=0.4, **LEVELS)
    found = []

    def reference(z, parameters):
        read, commitment = [], 0
        for vector in z:
            code, q, errors = literal(vector, vectors_of(bottleneck))
            found.append(code)
            commitment = commitment + 0.4 * sum(errors) / 3
            if estimator == "rotation":  # Fifty et al. 2024, eq. 4, the rotation as a matrix
                unit, aim = vector.detach() / vector.detach().norm(), q / q.norm()
                middle = (unit + aim) / (unit + aim).norm()
                matrix = torch.eye(len(z[0]), dtype=torch.double) - 2 * middle.outer(middle) + 2 * aim.outer(unit)
                read.append(q.norm() / vector.detach().norm() * matrix @ vector)
            else:
                read.append(vector + (q - vector).detach())
        return torch.stack(read), {"commitment": commitment}

    output = compare(bottleneck, reference)
    assert output.codes[batch()[1]].tolist() == found
    assert bottleneck.num_codes == 64 and len(set(found)) > 5


def test_the_rotation_is_the_default():
    z, mask = batch()
    gradients = []
    for options in ({}, {"residual_estimator": "rotation"}, {"residual_estimator": "straight_through"}):
        output = small("residual_vq", **options)(z, mask)
        gradients.append(torch.autograd.grad(output.quantized.square().sum(), z)[0])
    assert torch.equal(gradients[0], gradients[1])
    assert not torch.allclose(gradients[0], gradients[2])


def test_each_codebook_averages_its_own_residuals():
    bottleneck = small("residual_vq", **LEVELS)
    before = [(c.counts.double().clone(), c.sums.double().clone()) for c in bottleneck.codebooks]
    z, mask = batch()
    residual = z.detach()[mask].double()
    bottleneck(z, mask)
    found = vectors_of(bottleneck)
    bottleneck.apply_update()
    for codebook, codes, (counts, sums) in zip(bottleneck.codebooks, found, before, strict=True):
        index = torch.stack([(vector - codes).square().sum(-1).argmin() for vector in residual])
        counts, sums = 0.9 * counts, 0.9 * sums
        for vector, j in zip(residual, index.tolist(), strict=True):
            counts[j] += 0.1
            sums[j] += 0.1 * vector
        smoothed = (counts + SMOOTHING) / (counts.sum() + len(counts) * SMOOTHING) * counts.sum()
        torch.testing.assert_close(codebook.embedding.double(), sums / smoothed[:, None], rtol=1e-4, atol=1e-5)
        residual = residual - codes[index]


def test_more_levels_leave_a_smaller_residual():
    z = torch.randn(8, 40, 6, generator=torch.Generator().manual_seed(3))
    mask = torch.ones(8, 40, dtype=torch.bool)
    errors = []
    for levels in (1, 2, 3):
        options = {"codebook_size": 8**levels, "residual_levels": levels, "codebook_start": "kmeans"}
        bottleneck = small("residual_vq", codebook_start_updates=1, **options)
        bottleneck(z, mask)
        bottleneck.apply_update()
        assert bottleneck.started, "all levels start at the same update"
        errors.append(float((bottleneck.eval()(z, mask).quantized - z).square().mean()))
    assert errors[1] < 0.7 * errors[0] and errors[2] < 0.7 * errors[1]


def test_waiting_for_the_start():
    bottleneck = small("residual_vq", codebook_start="data", codebook_start_updates=2)
    for step in range(2):
        assert not bottleneck.started
        z, mask = batch(seed=step)
        output = bottleneck(z, mask)
        assert torch.equal(output.quantized, z * mask.unsqueeze(-1)) and set(output.losses) == {"commitment"}
        bottleneck.apply_update()
    assert bottleneck.started
    assert not bottleneck.codebook.counts.any(), "codes of no meaning were counted"


def test_one_level_is_hard_em():
    residual, alone = small("residual_vq", residual_levels=1), small("hard_em", estimator="rotation")
    alone.codebook.load_state_dict(residual.codebooks[0].state_dict())
    z, mask = batch()
    one, two = residual(z, mask), alone(z, mask)
    assert torch.equal(one.codes, two.codes) and torch.equal(one.quantized, two.quantized)
    torch.testing.assert_close(one.losses["commitment"], two.losses["commitment"])
    for bottleneck in (residual, alone):
        bottleneck.apply_update()
    assert torch.equal(residual.codebooks[0].embedding, alone.codebook.embedding)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"residual_levels": 3}, "--residual-levels 3 is not possible with --codebook-size 16; valid: "),
        ({"residual_levels": 0}, "--residual-levels 0 is not possible; valid: 1 or more"),
        ({"residual_estimator": "x"}, "--residual-estimator x is not possible; valid: straight_through, rotation"),
        ({"estimator": "rotation"}, "--estimator rotation means nothing with --bottleneck residual_vq; it works with"),
    ],
)
def test_impossible_options(options, message):
    with pytest.raises(ValueError, match=message):
        small("residual_vq", **options)
