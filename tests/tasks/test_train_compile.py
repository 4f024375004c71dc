"""``--train-compile``: the same gradients; only what trains is compiled."""

import shutil

import pytest
import torch
from fairseq import checkpoint_utils

from vqnat.modules.transformer import TransformerLayer


def compiled(model):
    return [m for m in model.modules() if isinstance(m, TransformerLayer) and m._compiled_call_impl is not None]


def load(digits, checkpoint, **options):
    models, cfg, task = checkpoint_utils.load_model_ensemble_and_task(
        [str(checkpoint)], arg_overrides={"data": str(digits), **options}
    )
    task.load_dataset("valid")
    return models[0], cfg, task


def gradients(model, cfg, task):
    """Of two batches of different shapes, and their losses."""
    criterion, dataset = task.build_criterion(cfg.criterion), task.dataset("valid")
    model.train()
    losses = []
    for numbers in (range(20), range(20, 33)):
        torch.manual_seed(1)  # of the samples of soft EM
        loss, _, _ = criterion(model, dataset.collater([dataset[i] for i in numbers]))
        loss.backward()
        losses.append(loss.detach())
    return torch.stack(losses), {name: p.grad for name, p in model.named_parameters() if p.grad is not None}


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("g++") is None, reason="torch.compile needs a C++ compiler")
def test_the_same_losses_and_gradients(digits, latent_checkpoint):
    model, cfg, task = load(digits, latent_checkpoint)
    losses, expected = gradients(model, cfg, task)
    loaded, cfg, task = load(digits, latent_checkpoint, train_compile=True)
    assert not compiled(loaded)  # from a checkpoint, to translate or to validate
    trained = task.build_model(cfg.model)
    trained.load_state_dict(loaded.state_dict())
    assert len(compiled(trained)) == sum(isinstance(m, TransformerLayer) for m in loaded.modules())
    torch._dynamo.utils.counters.clear()
    found_losses, found = gradients(trained, cfg, task)
    assert torch._dynamo.utils.counters["stats"]["unique_graphs"] > 0
    torch.testing.assert_close(found_losses, losses, rtol=1e-5, atol=1e-4)
    assert found.keys() == expected.keys()
    for name, gradient in expected.items():
        # By length, as rounding depends on the processor, and small entries of large gradients are made of it.
        assert (found[name] - gradient).norm() < 1e-3 * gradient.norm(), name
