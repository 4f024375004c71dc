"""What decoder and predictor read in training, and what that teaches them."""

import pytest
import torch
from fairseq.logging import metrics
from test_latent_transformer import build, sample

from vqnat.criterions.latent_transformer_loss import LatentTransformerLoss, divergence
from vqnat.errors import UserError
from vqnat.models.code_training import code_table, mix_predicted, near_codes, vectors_read


def quantized(**options):
    """A model in training, its bottleneck's output for vectors with pads, and which positions are real."""
    model = build(bottleneck="soft_em", num_samples=5, **options).train()
    z = torch.randn(6, 50, 32, requires_grad=True)
    real = torch.arange(50) < torch.tensor([50, 40, 30, 20, 10, 1]).unsqueeze(1)
    return model, z, model.bottleneck(z, real), real


def test_by_default_the_mean_is_read():
    model, _, latents, real = quantized()
    assert vectors_read(model.config, model.bottleneck, latents, real) is latents.quantized


def test_one_code_is_read_with_the_gradient_of_the_mean():
    model, z, latents, real = quantized(codes_read="one")
    read = vectors_read(model.config, model.bottleneck, latents, real)
    expected = model.bottleneck.embed(latents.codes) * real.unsqueeze(-1)
    torch.testing.assert_close(read, expected)
    weights = torch.randn_like(read)
    found, wanted = (
        torch.autograd.grad((x * weights).sum(), z, retain_graph=True)[0] for x in (read, latents.quantized)
    )
    torch.testing.assert_close(found, wanted)


def test_noise_swaps_that_share_of_codes_for_near_ones():
    model, _, latents, real = quantized(codes_read="one", code_noise=0.3, code_noise_neighbors=2)
    table = code_table(model.bottleneck)
    swapped = []
    for _ in range(20):
        read = vectors_read(model.config, model.bottleneck, latents, real)
        assert not read[~real].any()
        codes = torch.cdist(read[real], table).argmin(-1)
        torch.testing.assert_close(read[real], table[codes])
        changed = codes != latents.codes[real]
        swapped.append(changed.float().mean())
        order = torch.cdist(table, table).argsort(-1)  # (K, K); the first is the code itself
        assert (order[latents.codes[real][changed], 1:3] == codes[changed].unsqueeze(1)).any(1).all()
    assert torch.stack(swapped).mean() == pytest.approx(0.3, abs=0.05)


def test_near_codes_never_name_the_code_itself():
    table = torch.randn(5, 3)
    codes = torch.arange(5).repeat(40)
    assert (near_codes(codes, table, 99) != codes).all()  # more neighbors than there are


def test_predicted_codes_replace_true_ones_without_a_gradient():
    model, z, latents, real = quantized()
    logits = torch.randn(6, 51, 17)
    logits[..., 16] = 99  # the end of the sequence is never read
    mixed = mix_predicted(1.0, model.bottleneck, latents.quantized, logits, real)
    expected = model.bottleneck.embed(logits[:, :-1, :16].argmax(-1)) * real.unsqueeze(-1)
    torch.testing.assert_close(mixed, expected)
    half = mix_predicted(0.5, model.bottleneck, latents.quantized, logits, real)
    (gradient,) = torch.autograd.grad(half.sum(), z)
    replaced = (half == expected).all(-1) & real
    assert 0.3 < replaced.sum() / real.sum() < 0.7
    assert not gradient[replaced].any() and gradient[real & ~replaced].any(-1).all()


def test_expectations_weigh_the_codes_without_the_end():
    model, _, latents, real = quantized()
    logits = torch.randn(6, 51, 17)
    logits[..., 16] = 99
    mixed = mix_predicted(1.0, model.bottleneck, latents.quantized, logits, real, expectation=True)
    table = code_table(model.bottleneck)
    weights = logits[:, :-1, :16].exp()
    expected = torch.stack([weights[..., k, None] * table[k] for k in range(16)]).sum(0) / weights.sum(-1, keepdim=True)
    torch.testing.assert_close(mixed, expected * real.unsqueeze(-1))


@torch.no_grad()
@pytest.mark.parametrize("options", [{"codes_read": "one"}, {"code_noise": 0.5}, {"predicted_codes": 0.5}])
def test_nothing_of_it_outside_of_training(options):
    batch = sample()[1]
    criterion = LatentTransformerLoss(None, 0.1, 1.0)
    plain, other = (criterion(build(bottleneck="soft_em", **given).eval(), batch)[0] for given in ({}, options))
    torch.testing.assert_close(plain, other)


def test_a_prior_draws_codes_to_what_the_predictor_expects():
    model, z, _, real = quantized()
    favored = torch.zeros(6, 50, 16)
    favored[..., 3] = 1000.0
    assert (model.bottleneck(z, real, favored).samples[real] == 3).all()
    assert (model.eval().bottleneck(z, real, favored).codes[real] == 3).all()
    flat = model.bottleneck(z, real, torch.full((6, 50, 16), -7.0))
    assert torch.equal(flat.codes, model.bottleneck(z, real).codes)


def test_the_prior_rests_while_few_codes_are_in_use():
    batch = sample()[1]
    found = []
    for options in ({}, {"predictable_codes": 50.0, "predictable_codes_floor": 0.9}):
        model = build(**options).eval()
        model.bottleneck.codebook.counts[1:] = 1e-6  # perplexity of about 1 code of 16
        found.append(model(**batch["net_input"], target=batch["target"]).bottleneck.codes)
    assert torch.equal(*found)


def test_other_bottlenecks_take_no_prior():
    with pytest.raises(UserError, match="--bottleneck fsq; valid: hard_em, soft_em"):
        build(bottleneck="fsq", predictable_codes=1.0)


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("codes_read", "two"),
        ("code_noise", 1.5),
        ("predicted_codes", -0.1),
        ("predictor_dropout", 1.0),
        ("train_only", "codes"),
        ("decoder_reads", "words"),
    ],
)
def test_impossible_values_are_named(option, value):
    with pytest.raises(UserError, match=f"--{option.replace('_', '-')} {value} is not possible; valid: "):
        build(**{option: value})


def test_temperature_is_that_of_the_posterior():
    means = {}
    for temperature in (0.25, 1.0, 4.0):
        model = build(bottleneck="soft_em", num_samples=4000, posterior_temperature=temperature).train()
        torch.manual_seed(3)
        z, real = torch.randn(1, 1, 32), torch.ones(1, 1, dtype=torch.bool)
        samples = model.bottleneck(z, real).samples.flatten()
        expected = model.bottleneck.posterior(z[0])[0]
        drawn = torch.bincount(samples, minlength=16) / len(samples)
        torch.testing.assert_close(drawn, expected, atol=0.03, rtol=0)
        means[temperature] = float(expected.max())
    assert means[0.25] > means[1.0] > means[4.0]


def test_divergence_is_the_mean_of_both_directions():
    one, other = torch.randn(2, 7, 5, dtype=torch.double)
    p, q = one.log_softmax(-1), other.log_softmax(-1)
    both = [torch.nn.functional.kl_div(a, b, log_target=True, reduction="none").sum(-1) for a, b in ((p, q), (q, p))]
    torch.testing.assert_close(divergence(one, other).double(), sum(both) / 2, rtol=1e-4, atol=1e-5)


def test_rdrop_runs_the_predictor_twice_in_training_only():
    batch = sample()[1]
    model = build(dropout=0.5).train()
    plain, twice = (LatentTransformerLoss(None, 0.0, 1.0, code_rdrop=weight) for weight in (0.0, 5.0))
    losses = []
    for criterion in (plain, twice):
        torch.manual_seed(1)
        losses.append(float(criterion(model, batch)[0]))
    assert losses[1] > losses[0]
    with torch.no_grad():
        model.eval()
        torch.testing.assert_close(plain(model, batch)[0], twice(model, batch)[0])


def test_tied_codes_that_are_alike_have_like_logits():
    model = build(tie_predictor_output=True, bottleneck="hard_em").eval()
    codebook = model.bottleneck.codebook
    with torch.no_grad():
        codebook.sums[1] = codebook.sums[0]  # the same vector
        codebook._refresh()
        batch = sample()[1]
        logits = model(**batch["net_input"], target=batch["target"]).code_logits[0]
    torch.testing.assert_close(logits[..., 0], logits[..., 1])
    assert not torch.allclose(logits[..., 0], logits[..., 2])


def test_a_second_stage_changes_what_it_names_and_nothing_else():
    model = build(train_only="predictor", dropout=0.3, bottleneck="soft_em").train()
    assert not model.encoder.training and not model.bottleneck.training and model.predictor.training
    before = {name: value.clone() for name, value in model.state_dict().items()}
    optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=1.0)
    LatentTransformerLoss(None, 0.1, 1.0)(model, sample()[1])[0].backward()
    optimizer.step()
    changed = {name.split(".")[0] for name, value in model.state_dict().items() if not torch.equal(value, before[name])}
    assert changed == {"predictor"}


def test_while_the_predictor_alone_is_trained_no_words_are_written():
    model, criterion = build(train_only="predictor", helper_layers=1).train(), LatentTransformerLoss(None, 0.1, 1.0)
    ran = []
    for part in (model.decoder, model.helper, model.output_proj):
        part.register_forward_hook(lambda *_: ran.append(True))
    loss, _, log = criterion(model, sample()[1])
    assert not ran and "nll_loss" not in log
    assert float(loss) == pytest.approx(float(2**model.decoder.steps * log["predictor_loss"] + _commitment(log, model)))
    with metrics.aggregate() as logged:
        criterion.reduce_metrics([log])
    assert logged.get_smoothed_value("loss") > 0 and "nll_loss" not in logged
    assert "nll_loss" in criterion(model.eval(), sample()[1])[2] and ran


def _commitment(log, model):
    return 2**model.decoder.steps * log["commitment_loss"]


def test_a_shared_table_is_trained_with_any_part_that_has_it():
    model = build(train_only="output_proj").train()
    assert [name for name, p in model.named_parameters() if p.requires_grad] == ["encoder.embedding.weight"]
