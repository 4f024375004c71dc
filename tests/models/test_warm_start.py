"""Parts of other models that a new training starts from."""

import sys
from pathlib import Path

import pytest
import torch
from test_latent_transformer import build

from vqnat.errors import UserError
from vqnat.models.warm_start import start_codes, start_decoder, start_encoder

sys.path.insert(0, str(Path(__file__).parents[1] / "output_layers"))
from test_models import parallel


def saved(model, folder):
    path = folder / "checkpoint.pt"
    torch.save({"model": model.state_dict(), "args": None}, path)
    return path


def changed(model, other):
    """The parts in which two models of one kind differ."""
    ours, theirs = model.state_dict(), other.state_dict()
    return {name.split(".")[0] for name in ours if not torch.equal(ours[name], theirs[name])}


def randomised(model):
    """Every parameter and the codebook other than a new model's."""
    with torch.no_grad():
        for tensor in model.state_dict().values():
            if tensor.is_floating_point():
                tensor.normal_()
    return model


def test_the_source_encoder_of_a_parallel_transformer(tmp_path):
    given = randomised(parallel(share_all_embeddings=False))
    model = build(share_all_embeddings=False)
    start_encoder(model, saved(given, tmp_path))
    assert changed(model, build(share_all_embeddings=False)) == {"encoder"}
    for name, value in given.encoder.state_dict().items():
        assert torch.equal(value, model.encoder.state_dict()[name])


def test_the_decoder_of_a_model_without_latents(tmp_path):
    given = randomised(parallel(output_layer="ctc", share_all_embeddings=False))
    model = build(output_layer="ctc", share_all_embeddings=False)
    start_decoder(model, saved(given, tmp_path))
    assert changed(model, build(output_layer="ctc", share_all_embeddings=False)) == {"decoder", "output_proj"}
    for name, value in given.decoder.stack.state_dict().items():
        assert torch.equal(value, model.decoder.stack.state_dict()[name])


def test_the_codes_of_a_model_with_another_output_layer(tmp_path):
    given = randomised(build(share_all_embeddings=False))
    model = build(output_layer="ctc", share_all_embeddings=False)
    start_codes(model, saved(given, tmp_path))
    parts = {"encoder", "target_encoder", "bottleneck", "predictor"}
    assert changed(model, build(output_layer="ctc", share_all_embeddings=False)) == parts
    for part in parts:
        theirs = given.get_submodule(part).state_dict()
        assert all(torch.equal(theirs[name], value) for name, value in model.get_submodule(part).state_dict().items())


@pytest.mark.parametrize(
    "start, given, model, message",
    [
        (start_decoder, {"output_layer": "ctc"}, {"output_layer": "dag"}, "with --output-layer ctc, this model has"),
        (start_decoder, {"decoder_layers": 1}, {}, "other layers than this model's decoder: layers.1."),
        (start_codes, {"codebook_size": 8}, {}, "is (8,), this model needs (16,)"),
        (start_codes, {"compression_steps": 3}, {}, "other layers than this model's target_encoder"),
    ],
)
def test_parts_that_do_not_fit_are_named(tmp_path, start, given, model, message):
    path = saved(build(**given), tmp_path)
    option = {start_decoder: "--decoder-from", start_codes: "--codes-from"}[start]
    with pytest.raises(UserError) as error:
        start(build(**model), path)
    assert str(error.value).startswith(f"{option} {path}: ") and message in str(error.value)


def test_models_of_another_kind_are_named(tmp_path):
    path = saved(parallel(output_layer="ctc"), tmp_path)
    for start, model, message in (
        (start_codes, build(), "not a latent transformer"),
        (start_codes, parallel(), "only for latent_transformer"),
    ):
        with pytest.raises(UserError, match=message):
            start(model, path)
    path = saved(torch.nn.Linear(2, 2), tmp_path)
    for start, message in ((start_encoder, "not a Transformer"), (start_decoder, "not a latent or parallel")):
        with pytest.raises(UserError, match=message):
            start(build(), path)
