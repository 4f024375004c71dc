"""Bits per dimension against hand-worked numbers and a computation of every term."""

import math

import pictures
import pytest
import torch
from fairseq.logging import metrics

from vqnat.image.autoencoders.autoencoder import ImageOutput
from vqnat.image.autoencoders.autoencoder_config import ConvConfig
from vqnat.image.autoencoders.likelihood import bits_per_dim, gaussian_kl, pixel_nats, squared_error, to_bytes
from vqnat.image.autoencoders.vae import ImageVAE
from vqnat.image.priors.image_prior import ImagePrior, ImagePriorConfig
from vqnat.image.training.prior_criterion import ImagePriorLoss
from vqnat.image.training.vqvae_criterion import ImageVQVAELoss


def reported(criterion, *logs):
    with metrics.aggregate(new_root=True) as found:
        criterion.reduce_metrics(list(logs))
        return found.get_smoothed_values()


def test_formula_by_hand():
    # Uniform pixels cost 8 bits each, uniform codes of K = 256 another 8 bits for each of 640 codes.
    nats = math.log(256)
    assert bits_per_dim(nats, 0.0, 3072, 640) == pytest.approx(8)
    assert bits_per_dim(nats, nats, 3072, 640) == pytest.approx(8 + 8 * 640 / 3072)
    # (2.5 * 3072 + 4 * 640) / 3072 * 1.442695 = (7680 + 2560) / 3072 * 1.442695
    assert bits_per_dim(2.5, 4.0, 3072, 640) == pytest.approx(4.808983, abs=1e-6)


def test_pixels_one_by_one():
    logits = torch.randn(2, 3, 2, 2, 256)
    images = torch.randint(0, 256, (2, 3, 2, 2), dtype=torch.uint8)
    found = pixel_nats(logits, images)
    for b, c, y, x in [(0, 0, 0, 0), (1, 2, 1, 0), (0, 1, 1, 1)]:
        scores = logits[b, c, y, x].double().exp()
        assert float(found[b, c, y, x]) == pytest.approx(
            -math.log(scores[int(images[b, c, y, x])] / scores.sum()), rel=1e-5
        )


def test_squared_error_and_bytes():
    images = torch.tensor([0, 255, 51]).view(1, 3, 1, 1).to(torch.uint8)
    assert squared_error(images / 255, images).sum() == 0
    assert squared_error(torch.zeros(1, 3, 1, 1), images).flatten().tolist() == pytest.approx([0, 1, 0.04])
    assert torch.equal(to_bytes(images / 255), images)
    assert torch.equal(to_bytes(torch.nn.functional.one_hot(images.long(), 256).float()), images)


def test_whole_code_length_by_brute_force():
    """-log2 P(codes) P(pixels | codes) of two tiny images, every factor looked up by itself."""
    model = pictures.model(size=4).eval()
    images = torch.from_numpy(pictures.draw(2, 4)).permute(0, 3, 1, 2).contiguous()
    config = ImagePriorConfig(prior_layers=1, prior_dim=8, prior_ffn_dim=8, prior_heads=1, block_length=2)
    prior = ImagePrior(config, 8, model.field, 1).eval()
    task = type("Task", (), {"autoencoder": model})
    criterion = ImagePriorLoss(task, "nearest")
    _, _, log = criterion(prior, {"image": images})

    bits = 0.0
    for image in images:
        z = model.encode(image[None])
        codes = [int((z[0, i] - model.bottleneck.codebook.embedding).square().sum(-1).argmin()) for i in range(2)]
        for i in range(2):
            logits = prior(torch.tensor(codes).view(1, 2, 1))[0, i]
            bits -= float(logits.log_softmax(-1)[codes[i]]) / math.log(2)
        logits = model.decode_codes(torch.tensor([codes]))[0]
        for c in range(3):
            for y in range(4):
                for x in range(4):
                    bits -= float(logits[c, y, x].log_softmax(-1)[int(image[c, y, x])]) / math.log(2)
    assert float(reported(ImagePriorLoss, log)["bpd"]) == pytest.approx(bits / (2 * 48), abs=1e-4)


def test_soft_figure_of_a_hard_bottleneck_is_the_hard_one():
    model = pictures.model(bottleneck="hard_em").eval()
    criterion = ImageVQVAELoss(None, 1.0, False)
    images = torch.from_numpy(pictures.draw(3)).permute(0, 3, 1, 2).contiguous()
    values = reported(ImageVQVAELoss, criterion(model, {"image": images})[2])
    assert values["pixel_bits"] == values["pixel_bits_soft"]
    assert values["ppl_hard"] == values["ppl_soft"]


def test_validation_draws_reproducibly_and_changes_nothing():
    model = pictures.model(bottleneck="soft_em", num_samples=4).eval()
    criterion = ImageVQVAELoss(None, 1.0, False)
    images = torch.from_numpy(pictures.draw(3)).permute(0, 3, 1, 2).contiguous()
    state = {name: value.clone() for name, value in model.state_dict().items()}
    random = torch.get_rng_state()
    first, second = (criterion(model, {"image": images})[2] for _ in range(2))
    assert float(first["pixel_nats_soft"]) == float(second["pixel_nats_soft"]) != float(first["pixel_nats"])
    assert torch.equal(torch.get_rng_state(), random)
    assert all(torch.equal(value, model.state_dict()[name]) for name, value in state.items())
    assert model.bottleneck.codebook._batch_counts.sum() == 0


def test_perplexity_is_averaged_over_batches():
    def log(ppl):
        return {"nsentences": 1, "ntokens": 12, "nlatents": 2, "codebooks": 1, "batches": 1, "ppl_hard": ppl}

    logs = [{**log(ppl), "_code_counts": counts} for ppl, counts in ((1.0, [2, 0]), (1.0, [0, 2]))]
    for entry in logs:
        entry["_code_counts"] = torch.tensor(entry["_code_counts"]).float()
    values = reported(ImageVQVAELoss, *logs)
    assert values["ppl_hard"] == 1.0  # each batch uses one code
    assert values["code_ppl"] == 2.0  # the subset uses both
    assert values["code_use"] == 1.0


def test_continuous_latents_cost_their_kl():
    mean, log_variance = torch.tensor([1.0, 0.0]), torch.tensor([0.0, math.log(4)])
    # KL(N(1, 1) || N(0, 1)) = 1/2;  KL(N(0, 4) || N(0, 1)) = (4 - 1 - ln 4) / 2
    assert gaussian_kl(mean, log_variance).tolist() == pytest.approx([0.5, (3 - math.log(4)) / 2])
    config = ConvConfig(hidden_size=8, latent_channels=2, code_dim=4, residual_layers=0)
    model = ImageVAE(config, (8, 8)).eval()
    images = torch.from_numpy(pictures.draw(3)).permute(0, 3, 1, 2).contiguous()
    loss, dims, log = ImageVQVAELoss(None, 1.0, False)(model, {"image": images})
    assert float(loss) == pytest.approx(float(log["pixel_nats"] + log["kl"]), rel=1e-5)
    assert float(reported(ImageVQVAELoss, log)["bpd"]) == pytest.approx(float(loss) / dims / math.log(2), abs=1e-4)
    assert isinstance(model(images), ImageOutput)


def test_log_mse_is_the_objective_of_sq_vae():
    model = pictures.model(bottleneck="sq_vae", output="mse", dead_code_threshold=0.0).train()
    images = torch.from_numpy(pictures.draw(3)).permute(0, 3, 1, 2).contiguous()
    loss, dims, log = ImageVQVAELoss(None, 1.0, True)(model, {"image": images})
    bottleneck = log["entropy_loss"] + log["distance_loss"]
    expected = 3 * 192 / 2 * math.log(float(log["squared_error"]) / dims) + float(bottleneck)
    assert float(loss) == pytest.approx(expected, rel=1e-5)


def test_before_the_codebooks_start_no_checkpoint_is_best():
    model = pictures.model(codebook_start="kmeans").eval()
    images = torch.from_numpy(pictures.draw(2)).permute(0, 3, 1, 2).contiguous()
    assert not model.bottleneck.started
    assert float(ImageVQVAELoss(None, 1.0, False)(model, {"image": images})[0]) == math.inf
