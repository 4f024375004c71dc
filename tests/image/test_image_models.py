"""Shapes, codebooks and independence of the image models."""

import pictures
import pytest
import torch

from vqnat.bottlenecks import bottleneck_fields, bottleneck_names
from vqnat.errors import UserError
from vqnat.image.autoencoders.vqvae_presets import GMVQCelebAConfig, GMVQConfig, ImageVQVAEGMVQ, Roy2018Config
from vqnat.image.training.vqvae_criterion import ImageVQVAELoss


def images(count=3):
    return torch.from_numpy(pictures.draw(count)).permute(0, 3, 1, 2).contiguous()


@pytest.mark.parametrize("name", bottleneck_names())
def test_every_bottleneck_trains(name):
    options = {"bottleneck": name}
    for option, value in (("codebook_size", 16), ("codebook_start", "random")):
        has = option in bottleneck_fields(name)
        options[option] = value if has else getattr(Roy2018Config(), option)
    model = pictures.model(**options).train()
    loss, dims, _ = ImageVQVAELoss(None, 1.0, False)(model, {"image": images()})
    (loss / dims).backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.encoder.parameters())
    model.bottleneck.apply_update()


def test_sizes_of_the_papers():
    with torch.device("meta"):
        roy = pictures.ImageVQVAERoy2018(Roy2018Config(codebook_start="random"), (32, 32), Roy2018Config())
        assert roy.field == (8, 8, 10) and roy.num_latents == 640 and roy.bottleneck.num_codes == 256
        gmvq = ImageVQVAEGMVQ(GMVQConfig(), (32, 32), GMVQConfig())
        assert gmvq.field == (8, 8, 1) and gmvq.bottleneck.num_codes == 1024 and gmvq.config.code_dim == 64
        celeba = ImageVQVAEGMVQ(GMVQCelebAConfig(), (128, 128), GMVQCelebAConfig())
        assert celeba.field == (16, 16, 1)


@pytest.mark.parametrize("kernel", [4, 5])
def test_encoding_and_decoding_keep_places(kernel):
    model = pictures.model(kernel_size=kernel).eval()
    assert model.encode(images()).shape == (3, 8, 8)  # 2 x 2 places, 2 channels, 8 components
    assert model(images()).reconstruction.shape == (3, 3, 8, 8, 256)


def test_an_image_does_not_depend_on_its_batch():
    model = pictures.model().eval()
    batch = images(4)
    together = model(batch)
    for i in range(4):
        alone = model(batch[i : i + 1])
        assert torch.equal(alone.latents.codes[0], together.latents.codes[i])
        assert torch.allclose(alone.reconstruction[0], together.reconstruction[i], atol=1e-4)


def test_codes_decode_to_the_reconstruction():
    model = pictures.model(codebooks=2).eval()
    output = model(images())
    assert torch.allclose(model.decode_codes(output.latents.codes), output.reconstruction, atol=1e-5)


def test_each_channel_has_its_codebook():
    model = pictures.model(codebooks=2).eval()
    z = model.encode(images())  # (3, 8, D), channels 0 1 0 1 ...
    record = model.bottleneck(z, model.real(3, z.device))
    for channel, member in enumerate(model.bottleneck.members):
        own = member(z[:, channel::2], torch.ones(3, 4, dtype=torch.bool))
        assert torch.equal(record.codes[:, channel::2], own.codes)
        assert torch.equal(record.code_counts[8 * channel : 8 * (channel + 1)], own.code_counts)
    assert float(record.losses["commitment"][1]) == 24
    before = [member.codebook.counts.clone() for member in model.bottleneck.members]
    model.train()
    model(images())
    model.bottleneck.apply_update()
    assert all((member.codebook.counts != old).any() for member, old in zip(model.bottleneck.members, before))  # noqa: B905


def test_options_of_other_bottlenecks_are_refused():
    with pytest.raises(UserError, match=r"--gm-entropy 2\.0 means nothing with --bottleneck hard_em"):
        pictures.model(gm_entropy=2.0)


def test_gm_vq_reports_a_soft_posterior():
    model = pictures.model(bottleneck="gm_vq", dead_code_threshold=0.0).eval()
    z = model.encode(images())
    mean = model.bottleneck.mean_posterior(z, model.real(3, z.device))
    logits = model.bottleneck.logits(z.flatten(0, 1), model.bottleneck.codebook.vectors())
    assert torch.allclose(mean, logits.softmax(-1).mean(0), atol=1e-6)


@pytest.mark.parametrize("bottleneck", ["hard_em", "soft_em"])
@pytest.mark.parametrize("training", [True, False])
def test_a_batch_is_encoded_once(bottleneck, training):
    model = pictures.model(bottleneck=bottleneck).train(training)
    calls = []
    model.encoder.register_forward_hook(lambda *_: calls.append(1))
    ImageVQVAELoss(None, 1.0, False)(model, {"image": images()})
    assert len(calls) == 1
