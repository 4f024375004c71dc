"""Hard and soft EM against equations written out by hand in float64."""

from types import SimpleNamespace

import pytest
import torch
from vector_quantize_pytorch import VectorQuantize

from vqnat.bottlenecks import bottleneck_names, build_bottleneck
from vqnat.bottlenecks.em import SMOOTHING


def build(name, size=12, dim=5, **options):
    defaults = {"codebook_start": "random", "ema_decay": 0.9, "dead_code_threshold": 0.0, "num_samples": 4}
    torch.manual_seed(1)
    return build_bottleneck(name, SimpleNamespace(codebook_size=size, **(defaults | options)), dim)


def batch(seed=2, shape=(3, 6, 5)):
    generator = torch.Generator().manual_seed(seed)
    z = torch.randn(*shape, generator=generator, requires_grad=True)
    mask = torch.ones(shape[:2], dtype=torch.bool)
    mask[0, 4:] = mask[2, 1:] = False
    return z, mask


def reference_step(counts, sums, z, mask, samples, decay):
    """One EMA step by the equations of the paper, one vector and one sample at a time, in float64."""
    counts, sums, m = counts.double(), sums.double(), samples.shape[-1]
    new_counts, new_sums = torch.zeros_like(counts), torch.zeros_like(sums)
    for row, column in mask.nonzero().tolist():
        for code in samples[row, column].tolist():
            new_counts[code] += 1 / m
            new_sums[code] += z[row, column].detach().double() / m
    counts, sums = decay * counts + (1 - decay) * new_counts, decay * sums + (1 - decay) * new_sums
    smoothed = (counts + SMOOTHING) / (counts.sum() + len(counts) * SMOOTHING) * counts.sum()
    return counts, sums, sums / smoothed[:, None]


@pytest.mark.parametrize("name", ["hard_em", "soft_em"])
def test_codebook_after_one_and_twenty_steps(name):
    bottleneck = build(name)
    counts, sums = bottleneck.codebook.counts.clone(), bottleneck.codebook.sums.clone()
    for step in range(20):
        z, mask = batch(seed=step)
        output = bottleneck(z, mask)
        bottleneck.apply_update()
        counts, sums, embedding = reference_step(counts, sums, z, mask, output.samples, decay=0.9)
        torch.testing.assert_close(bottleneck.codebook.embedding.double(), embedding, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(bottleneck.codebook.counts.double(), counts, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", ["hard_em", "soft_em"])
def test_quantized_loss_and_gradient(name):
    bottleneck = build(name)
    z, mask = batch()
    output = bottleneck(z, mask)
    mean = bottleneck.codebook.embedding[output.samples].mean(2)  # (B, T, D)
    torch.testing.assert_close(output.quantized, mean * mask.unsqueeze(-1))
    total, count = output.losses["commitment"]
    expected = 0.25 * ((z - mean).double().square().mean(-1) * mask).sum()
    assert count == mask.sum()
    torch.testing.assert_close(total.double(), expected)
    weights = torch.randn(z.shape)
    (output.quantized * weights).sum().add(total).backward()
    straight_through = weights + 0.25 * 2 * (z - mean).detach() / z.shape[-1]
    torch.testing.assert_close(z.grad, straight_through * mask.unsqueeze(-1))


@pytest.mark.parametrize("name", ["hard_em", "soft_em"])
def test_forward_changes_nothing_and_evaluation_never_accumulates(name):
    bottleneck = build(name)
    before = {key: value.clone() for key, value in bottleneck.state_dict().items()}
    z, mask = batch()
    bottleneck(z, mask)
    for key, value in bottleneck.state_dict().items():
        assert torch.equal(value, before[key]), key
    bottleneck.discard()
    bottleneck.eval()
    first, second = bottleneck(z, mask), bottleneck(z, mask)
    assert torch.equal(first.codes, second.codes)
    bottleneck.train()
    bottleneck.apply_update()
    torch.testing.assert_close(bottleneck.codebook.counts, before["codebook.counts"] * 0.9)


@pytest.mark.parametrize("name", ["hard_em", "soft_em"])
def test_pads_change_nothing(name):
    bottleneck = build(name).eval()
    z, mask = batch()
    other = torch.where(mask.unsqueeze(-1), z.detach(), 1e4)
    one, two = bottleneck(z, mask), bottleneck(other, mask)
    assert torch.equal(one.codes, two.codes)
    assert torch.equal(one.quantized, two.quantized)
    torch.testing.assert_close(one.losses["commitment"][0], two.losses["commitment"][0])
    bottleneck.train()
    hard = build("hard_em")
    hard(other, mask)
    hard.apply_update()
    assert hard.codebook.sums.abs().max() < 100


@pytest.mark.parametrize("name", ["hard_em", "soft_em"])
def test_embed_inverts_codes(name):
    bottleneck = build(name).eval()
    z, mask = batch()
    output = bottleneck(z, mask)
    torch.testing.assert_close(bottleneck.embed(output.codes)[mask], output.quantized[mask])


def test_one_cold_sample_is_hard():
    soft, hard = build("soft_em", num_samples=1), build("hard_em")
    for bottleneck in (soft, hard):
        bottleneck.codebook.sums.mul_(1000)  # far apart: the posterior has all its mass at the nearest
        bottleneck.codebook._refresh()
    z, mask = batch()
    assert torch.equal(soft(z * 1000, mask).codes, hard(z * 1000, mask).codes)


def test_two_micro_batches_are_one_batch():
    one, two = build("hard_em"), build("hard_em")
    z, mask = batch()
    one(z, mask)
    for row in range(3):
        two(z[row : row + 1], mask[row : row + 1])
    for bottleneck in (one, two):
        bottleneck.apply_update()
    torch.testing.assert_close(one.codebook.embedding, two.codebook.embedding)


def test_start_waits_then_covers_the_data():
    bottleneck = build("soft_em", size=8, codebook_start="kmeans", codebook_start_updates=3)
    centers = torch.randn(8, 5, generator=torch.Generator().manual_seed(9)) * 10
    for step in range(3):
        assert not bottleneck.started
        z = centers.repeat(4, 1, 1) + 0.01 * torch.randn(4, 8, 5, generator=torch.Generator().manual_seed(step))
        z.requires_grad_()
        output = bottleneck(z, torch.ones(4, 8, dtype=torch.bool))
        assert torch.equal(output.quantized, z)
        bottleneck.apply_update()
    assert bottleneck.started
    # k-means from a random start may merge two centers, never leave most of the data far from any code.
    nearest = torch.cdist(centers, bottleneck.codebook.embedding).min(1).values
    assert (nearest < 0.1).sum() >= 5


def test_dead_codes_are_replaced_with_their_counts_and_sums():
    bottleneck = build("hard_em", size=4, dim=2, dead_code_threshold=0.5, ema_decay=0.5)
    bottleneck.codebook.sums.copy_(torch.tensor([[0.0, 0], [1e3, 0], [2e3, 0], [3e3, 0]]))
    bottleneck.codebook._refresh()
    for step in range(12):
        z = torch.randn(1, 64, 2, generator=torch.Generator().manual_seed(step))
        bottleneck(z, torch.ones(1, 64, dtype=torch.bool))
        bottleneck.apply_update()
    assert bottleneck.codebook.embedding.abs().max() < 10
    assert float(bottleneck.codebook.share_in_use()) == 1.0


def test_state_dict_gives_the_same_codes_and_continues_the_same():
    one = build("soft_em")
    for step in range(3):
        one(*batch(seed=step))
        one.apply_update()
    two = build("soft_em", num_samples=4)
    two.load_state_dict(one.state_dict())
    assert torch.equal(one.codebook.embedding, two.codebook.embedding)
    for bottleneck in (one, two):
        torch.manual_seed(11)
        bottleneck(*batch(seed=7))
        bottleneck.apply_update()
    assert torch.equal(one.codebook.embedding, two.codebook.embedding)


def test_resuming_before_the_start_is_exact():
    options = {"size": 8, "codebook_start": "kmeans", "codebook_start_updates": 4}
    one = build("hard_em", **options)
    two = build("hard_em", **options)
    for step in range(4):
        if step == 2:
            two.load_state_dict(one.state_dict())
        for bottleneck in (one, two) if step >= 2 else (one,):
            bottleneck(*batch(seed=step))
            bottleneck.apply_update()
    assert one.started and two.started
    assert torch.equal(one.codebook.embedding, two.codebook.embedding)


def test_half_precision_leaves_the_codebook_in_fp32():
    bottleneck = build("hard_em").half()
    assert {b.dtype for n, b in bottleneck.named_buffers() if n != "codebook.has_started"} == {
        torch.float32,
        torch.int64,
    }


@pytest.mark.parametrize(
    ("option", "value"),
    [("codebook_size", 1), ("codebook_size", 65537), ("ema_decay", 1.0), ("num_samples", 0), ("codebook_start", "x")],
)
def test_impossible_options_are_named(option, value):
    values = {"codebook_size": 8} | {option: value}
    with pytest.raises(ValueError, match=f"--{option.replace('_', '-')} {value} is not possible; valid: "):
        build_bottleneck("soft_em", SimpleNamespace(**values), 4)


def test_unknown_name_lists_the_known():
    with pytest.raises(ValueError, match=r"--bottleneck 'nope' is unknown; choose from: .*hard_em.*soft_em"):
        build_bottleneck("nope", SimpleNamespace(), 4)
    assert {"hard_em", "soft_em"} <= set(bottleneck_names())


def test_many_samples_tend_to_the_posterior_mean():
    bottleneck = build("soft_em", num_samples=20_000)
    z, mask = batch()
    output = bottleneck(z, mask)
    codes = bottleneck.codebook.embedding.double()
    for row, column in mask.nonzero().tolist():
        posterior = (-(z[row, column].detach().double() - codes).square().sum(1)).softmax(0)
        spread = (posterior @ codes.square() - (posterior @ codes).square()).clamp(min=0).sqrt()  # of one sample
        error = (output.quantized[row, column].double() - posterior @ codes).abs()
        assert (error <= 5 * spread / 20_000**0.5 + 1e-6).all()


@pytest.mark.parametrize("name", ["hard_em", "soft_em"])
def test_on_the_sphere_codes_are_directions_of_the_sums(name):
    bottleneck = build(name, codebook_l2=True)
    counts, sums = bottleneck.codebook.counts.clone(), bottleneck.codebook.sums.clone()
    for step in range(20):
        z, mask = batch(seed=step)
        output = bottleneck(z, mask)
        if name == "hard_em":
            cosine = torch.nn.functional.cosine_similarity(z.unsqueeze(2), bottleneck.codebook.embedding, dim=-1)
            assert torch.equal(output.codes[mask], cosine.argmax(-1)[mask])
        bottleneck.apply_update()
        unit = z.double() / z.double().norm(dim=-1, keepdim=True)
        counts, sums, _ = reference_step(counts, sums, unit, mask, output.samples, decay=0.9)
        directions = sums / sums.norm(dim=-1, keepdim=True)
        torch.testing.assert_close(bottleneck.codebook.embedding.double(), directions, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("unit", [False, True])
def test_against_vector_quantize_pytorch(unit):
    """Twenty steps with pads, the same state to begin with.

    Differences of definition: theirs moves the codebook within forward, ours when the update is applied; their
    loss is a mean over real positions and dimensions, ours a sum over positions. Its gradient is compared too.
    """
    ours = build("hard_em", codebook_l2=unit)
    theirs = VectorQuantize(
        **{"dim": 5, "codebook_size": 12, "decay": 0.9, "commitment_weight": 0.25, "rotation_trick": False},
        **{"use_cosine_sim": unit, "threshold_ema_dead_code": 0},
    )
    theirs._codebook.embed.data.copy_(ours.codebook.embedding.unsqueeze(0))
    theirs._codebook.cluster_size.data.copy_(ours.codebook.counts.unsqueeze(0))
    theirs._codebook.embed_avg.data.copy_(ours.codebook.sums.unsqueeze(0))
    for step in range(20):
        z, mask = batch(seed=step)
        output = ours(z, mask)
        ours.apply_update()
        quantized, codes, loss = theirs(z, mask=mask)
        assert torch.equal(output.codes[mask], codes[mask])
        torch.testing.assert_close(output.quantized[mask], quantized[mask])
        torch.testing.assert_close(ours.codebook.embedding, theirs._codebook.embed[0], rtol=1e-4, atol=1e-5)
        if not unit:  # with cosine similarity their loss is that of vectors of any length
            total, count = output.losses["commitment"]
            torch.testing.assert_close(total / count, loss.squeeze())
