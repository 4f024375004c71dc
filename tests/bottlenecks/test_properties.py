"""What every registered bottleneck promises."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from quantizing import DIM, SMALL, VARIANTS, batch, label, same_state, small, state
from torch.utils._python_dispatch import TorchDispatchMode

every = pytest.mark.parametrize("variant", VARIANTS, ids=label)
examples = settings(max_examples=10, deadline=None, derandomize=True)


@st.composite
def batches(draw):
    """Vectors (B, T, D) of several scales and a mask of any shape, empty rows included."""
    rows, length = draw(st.integers(1, 4)), draw(st.integers(1, 5))
    real = draw(st.lists(st.booleans(), min_size=rows * length, max_size=rows * length))
    generator = torch.Generator().manual_seed(draw(st.integers(0, 1000)))
    scale = draw(st.sampled_from([0.1, 1.0, 5.0]))
    return torch.randn(rows, length, DIM, generator=generator) * scale, torch.tensor(real).view(rows, length)


@every
def test_a_bottleneck_that_does_not_say_so_draws_nothing(variant):
    bottleneck = small(variant[0], **variant[1])
    z, mask = batch()
    before = torch.get_rng_state()
    output = bottleneck(z, mask)
    if not bottleneck.draws:
        assert torch.equal(torch.get_rng_state(), before)
        assert torch.equal(output.codes, bottleneck.encode(z, mask))


@every
@examples
@given(batches())
def test_what_pads_hold_changes_nothing(variant, drawn):
    z, mask = drawn
    name, options = variant
    outputs, states = [], []
    for filler in (0.0, 1e4, -3.0):
        bottleneck = small(name, **options)
        filled = torch.where(mask.unsqueeze(-1), z, filler).requires_grad_()
        torch.manual_seed(3)
        output = bottleneck(filled, mask)
        total = output.quantized.sum() + sum(part for part, _ in output.losses.values())
        (gradient,) = torch.autograd.grad(total, filled)
        assert not gradient[~mask].any()
        bottleneck.apply_update()
        outputs.append((output, gradient))
        states.append(state(bottleneck))
    one, gradient = outputs[0]
    for (two, other), changed in zip(outputs[1:], states[1:], strict=True):
        assert torch.equal(one.codes, two.codes) and torch.equal(one.samples, two.samples)
        assert torch.equal(one.quantized, two.quantized) and torch.equal(one.code_counts, two.code_counts)
        torch.testing.assert_close(gradient, other)
        for key, (part, count) in one.losses.items():
            torch.testing.assert_close(part, two.losses[key][0])
            assert count == two.losses[key][1] == mask.sum()
        same_state(states[0], changed)
    assert not one.quantized[~mask].any() and not one.codes[~mask].any() and not one.samples[~mask].any()


@every
@examples
@given(batches(), st.integers(1, 3), st.randoms(use_true_random=False))
def test_more_pads_and_another_order_change_nothing(variant, drawn, more, numbers):
    z, mask = drawn
    name, options = variant
    order = list(range(len(z)))
    numbers.shuffle(order)
    longer = torch.cat([z, torch.ones(len(z), more, DIM)], 1)[order]
    padded = torch.cat([mask, torch.zeros(len(z), more, dtype=torch.bool)], 1)[order]
    modes = [False] if small(name, **options).draws else [False, True]
    for training in modes:
        one, two = small(name, **options).train(training), small(name, **options).train(training)
        first, second = one(z, mask), two(longer, padded)
        torch.testing.assert_close(second.quantized[:, : z.shape[1]], first.quantized[order], rtol=1e-4, atol=1e-5)
        assert torch.equal(second.codes[:, : z.shape[1]], first.codes[order])
        for key, (part, _) in first.losses.items():
            torch.testing.assert_close(part, second.losses[key][0], rtol=1e-4, atol=1e-4)
        one.apply_update()
        two.apply_update()
        same_state(state(one), state(two), rtol=1e-4, atol=1e-5)


@every
@examples
@given(batches())
def test_codes_are_in_range_and_embed_inverts_them(variant, drawn):
    z, mask = drawn
    name, options = variant
    bottleneck = small(name, **options)
    for training in (True, False):
        output = bottleneck.train(training)(z, mask)
        for codes in (output.codes, output.samples):
            assert codes.dtype == torch.int64 and codes.min() >= 0 and codes.max() < bottleneck.num_codes
        assert torch.equal(output.samples[..., 0], output.codes)
        torch.testing.assert_close(output.code_counts.sum(), mask.sum().float())
        expected = torch.zeros(bottleneck.num_codes)
        for code in output.samples[mask].flatten().tolist():
            expected[code] += 1 / output.samples.shape[-1]
        torch.testing.assert_close(output.code_counts, expected)
    torch.testing.assert_close(bottleneck.embed(output.codes)[mask], output.quantized[mask])


@every
@examples
@given(batches())
def test_encode_gives_the_codes_of_evaluation_and_has_no_effect(variant, drawn):
    z, mask = drawn
    bottleneck = small(variant[0], **variant[1])
    untouched, random_state = state(bottleneck), torch.get_rng_state()
    codes = bottleneck.encode(z)  # in training
    assert torch.equal(torch.get_rng_state(), random_state)
    assert codes.dtype == torch.int64 and codes.shape == mask.shape
    output = bottleneck.eval()(z, torch.ones_like(mask))
    assert torch.equal(codes, output.codes)
    assert torch.equal(bottleneck.encode(z, mask), bottleneck(z, mask).codes)
    torch.testing.assert_close(bottleneck.embed(codes), output.quantized)
    bottleneck.train().apply_update()
    expected = small(variant[0], **variant[1])
    expected.load_state_dict(untouched)
    expected.apply_update()
    same_state(state(bottleneck), state(expected), rtol=0, atol=0)


@pytest.mark.parametrize("name", [name for name in SMALL if "codebook_start" in SMALL[name]])
def test_before_the_start_every_code_is_0(name):
    z, mask = batch()
    bottleneck = small(name, codebook_start="kmeans")
    assert not bottleneck.encode(z, mask).any() and not bottleneck.eval()(z, mask).codes.any()


@every
def test_evaluation_is_deterministic_and_changes_nothing(variant):
    bottleneck, untouched = (small(variant[0], **variant[1]).eval() for _ in range(2))
    z, mask = batch()
    outputs = []
    for seed in range(3):
        torch.manual_seed(seed)
        outputs.append(bottleneck(z, mask))
    for output in outputs[1:]:
        assert torch.equal(output.codes, outputs[0].codes) and torch.equal(output.quantized, outputs[0].quantized)
        assert output.losses.keys() == outputs[0].losses.keys()
        assert all(output.losses[key][0] == outputs[0].losses[key][0] for key in output.losses)
    for one in (bottleneck, untouched):
        one.train().apply_update()
    same_state(state(bottleneck), state(untouched), rtol=0, atol=0)


@every
def test_forward_changes_nothing_and_what_is_discarded_never_was(variant):
    bottleneck, untouched = (small(variant[0], **variant[1]) for _ in range(2))
    before = state(bottleneck)
    z, mask = batch()
    bottleneck(z, mask)
    same_state(state(bottleneck), before, rtol=0, atol=0)
    bottleneck.discard()
    bottleneck.accumulating = False
    bottleneck(z, mask)
    for one in (bottleneck, untouched):
        one.apply_update()
    same_state(state(bottleneck), state(untouched), rtol=0, atol=0)
    bottleneck.accumulating = True
    bottleneck(z, mask)
    bottleneck.apply_update()
    untouched.apply_update()
    moved = [n for n, value in state(bottleneck).items() if not torch.equal(value, untouched.state_dict()[n])]
    assert any(name.endswith("counts") for name in moved), "the test sees what is accumulated"


@every
def test_usage_counts_what_training_assigned(variant):
    bottleneck = small(variant[0], **variant[1])
    seen = torch.zeros(bottleneck.num_codes)
    seen += bottleneck.codebook.counts
    for step in range(5):
        output = bottleneck(*batch(seed=step))
        bottleneck.apply_update()
        decay = bottleneck.codebook.decay
        seen = decay * seen + (1 - decay) * output.code_counts
    share = seen / seen.sum()
    usage = bottleneck.usage()
    entropy = -(share * share.clamp(min=1e-30).log()).sum()
    torch.testing.assert_close(usage["code_ppl"], entropy.exp(), rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(usage["code_use"], ((seen > 0) & (seen >= 0.05 * seen.mean())).float().mean())


@every
@pytest.mark.parametrize("cast", [torch.float16, torch.bfloat16, torch.float64])
def test_a_cast_model_keeps_its_codebook_and_decides_in_fp32(variant, cast):
    bottleneck, full = (small(variant[0], **variant[1]) for _ in range(2))
    bottleneck.to(cast)
    z, mask = batch()
    z = z.detach().half().to(cast).requires_grad_()  # the same values in all types
    results = []
    for one, vectors in ((bottleneck, z), (full, z.detach().float())):
        torch.manual_seed(3)
        results.append(one(vectors, mask))
        one.apply_update()
    assert results[0].quantized.dtype == cast
    assert all(part.dtype == torch.float32 for part, _ in results[0].losses.values())
    assert torch.equal(results[0].samples, results[1].samples)
    results[0].quantized.sum().backward()
    assert z.grad.dtype == cast
    for name, value in bottleneck.state_dict().items():
        if "codebook" in name and value.is_floating_point():
            assert value.dtype == torch.float32, name
            assert torch.equal(value, full.state_dict()[name]), name


@every
def test_autocast_decides_in_fp32(variant):
    bottleneck = small(variant[0], **variant[1])
    z, mask = batch()
    results = []
    for enabled in (False, True):
        torch.manual_seed(3)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=enabled):
            results.append(bottleneck(z, mask))
    assert torch.equal(results[0].samples, results[1].samples)
    for key, (part, _) in results[0].losses.items():
        assert part == results[1].losses[key][0]


class NoSynchronization(TorchDispatchMode):
    """Fails on operations whose result the host must wait for on a GPU."""

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        name = function.overloadpacket.__name__
        waits = name in ("_local_scalar_dense", "nonzero", "masked_select", "unique", "_unique2", "is_nonzero", "equal")
        if name in ("index", "index_put", "index_put_"):
            waits = any(i is not None and i.dtype == torch.bool for i in args[1])
        assert not waits, f"{function} makes the host wait"
        return function(*args, **(kwargs or {}))


@every
def test_training_does_not_wait_for_the_device(variant):
    bottleneck = small(variant[0], **variant[1])
    z, mask = batch()
    with NoSynchronization():
        output = bottleneck(z, mask)
        total = output.quantized.sum() + sum(part for part, _ in output.losses.values())
    with pytest.raises(AssertionError, match="host wait"), NoSynchronization():
        total.item()
