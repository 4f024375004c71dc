"""A model that was prepared for inference computes what the trained one does."""

import shutil

import bitext
import pytest
import torch
from fairseq import checkpoint_utils
from torch import nn

from vqnat.errors import UserError
from vqnat.models import inference
from vqnat.models.inference import prepare


@pytest.fixture
def loaded(digits, latent_checkpoint):
    models, _, task = checkpoint_utils.load_model_ensemble_and_task(
        [str(latent_checkpoint)], arg_overrides={"data": str(digits)}
    )
    task.load_dataset("test")
    return models[0].eval(), task


def translations(model, task, size, **options):
    """Tokens, codes and scores of the test set by sentence."""
    from argparse import Namespace

    generator, dataset = task.build_generator([model], Namespace(beam=1, **options)), task.dataset("test")
    found = {}
    for start in range(0, len(dataset), size):
        sample = dataset.collater([dataset[i] for i in range(start, min(start + size, len(dataset)))])
        for number, [best] in zip(sample["id"].tolist(), task.inference_step(generator, [model], sample), strict=True):
            found[number] = best["tokens"].tolist(), best["codes"].tolist(), float(best["score"])
    return found


@pytest.mark.parametrize("size", [1, 7, 64])
def test_prepared_it_translates_alike_in_any_batch(loaded, size, monkeypatch):
    model, task = loaded
    expected = translations(model, task, 16)
    monkeypatch.setattr(inference, "LEAST", 0)
    prepare(model)
    assert not any(isinstance(module, nn.Linear) for module in model.decoder.modules())
    found = translations(model, task, size)
    for number, (tokens, codes, score) in expected.items():
        assert found[number][:2] == (tokens, codes)
        assert found[number][2] == pytest.approx(score, abs=1e-3)


@pytest.mark.parametrize("precision, size", [("bf16", 1), ("bf16", 64), ("int8_dynamic", 1), ("int8_dynamic", 64)])
def test_lower_precision_translates_nearly_alike(loaded, precision, size):
    model, task = loaded
    expected = translations(model, task, 16)
    prepare(model, precision)
    found = translations(model, task, size)
    same = sum(found[number][0] == tokens for number, (tokens, _, _) in expected.items())
    assert same >= 0.9 * len(expected)
    assert found != expected  # another precision after all


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("g++") is None, reason="torch.compile needs a C++ compiler")
def test_compiled_it_translates_alike_in_any_batch(loaded):
    model, task = loaded
    expected = translations(model, task, 16)
    torch._dynamo.utils.counters.clear()
    prepare(model, compiled=True)
    for size in (1, 64):
        found = translations(model, task, size)
        for number, (tokens, codes, score) in expected.items():
            assert found[number][:2] == (tokens, codes)
            assert found[number][2] == pytest.approx(score, abs=1e-3)
    assert torch._dynamo.utils.counters["stats"]["unique_graphs"] > 0


def test_what_is_not_possible_is_said(loaded, monkeypatch):
    model, _ = loaded
    with pytest.raises(UserError, match="--decode-precision int4 is not possible; valid: fp32, bf16, fp16, int8_dyn"):
        prepare(model, "int4")
    with pytest.raises(UserError, match="--decode-compile: not with --decode-precision int8_dynamic; valid: fp32"):
        prepare(model, "int8_dynamic", compiled=True)
    with monkeypatch.context() as environment, pytest.raises(UserError, match="compiler: no gone here; install"):
        environment.setenv("CXX", "gone")
        prepare(model, compiled=True)
    with pytest.raises(UserError, match="int8_dynamic: needs a model in fp32 on a CPU"):
        prepare(model.half(), "int8_dynamic")


def test_fairseq_generate_takes_the_precision(digits, latent_checkpoint):
    def generate(*more, **options):
        command = ("fairseq-generate", digits, "--user-dir", "vqnat", "--task", "latent_translation", "--cpu")
        return bitext.run(*command, "--path", latent_checkpoint, "--beam", 1, *more, **options)

    usual, half = (bitext.hypotheses(generate(*more).stdout) for more in ((), ("--decode-precision", "bf16")))
    assert usual.keys() == half.keys() and usual != half
    assert sum(usual[n][0][1] == half[n][0][1] for n in usual) >= 0.9 * len(usual)
    failed = generate("--decode-precision", "bf8", check=False)
    assert "error: --decode-precision bf8 is not possible; valid: fp32, bf16" in failed.stderr.splitlines()[-1]
