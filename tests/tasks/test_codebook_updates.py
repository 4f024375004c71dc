"""When the task applies, and when it drops, what the bottleneck has accumulated."""

from argparse import Namespace

import pytest
import torch
from fairseq.logging import metrics
from fairseq.optim.adam import FairseqAdam, FairseqAdamConfig
from fairseq.optim.fp16_optimizer import FP16Optimizer
from omegaconf import OmegaConf

from vqnat.bottlenecks import build_bottleneck
from vqnat.tasks.latent_translation import LatentTranslationConfig, LatentTranslationTask
from vqnat.tasks.master_weights import write_through


class Model(torch.nn.Module):
    """As little of a model as the task looks at: a parameter, a bottleneck."""

    def __init__(self, name="hard_em", **options):
        super().__init__()
        self.scale = torch.nn.Parameter(torch.ones(()))
        defaults = {"codebook_size": 4, "codebook_start": "random", "dead_code_threshold": 0.0}
        defaults |= {"ema_decay": 0.5} if name == "hard_em" else {}
        self.bottleneck = build_bottleneck(name, Namespace(**(defaults | options)), 2)

    def set_num_updates(self, num_updates):
        pass


def criterion(model, sample):
    output = model.bottleneck(sample * model.scale, torch.ones(sample.shape[:2], dtype=torch.bool))
    return output.quantized.sum() + sum(loss for loss, _ in output.losses.values()), 1, {}


def system(model, rate=0.0):
    task = LatentTranslationTask(LatentTranslationConfig(), None, None)
    config = OmegaConf.structured(FairseqAdamConfig(lr=[rate], tpu=False))
    return task, model, FairseqAdam(config, [p for p in model.parameters() if p.requires_grad])


@pytest.fixture
def trained():
    return system(Model())


def step(task, model, optimizer, rows, **options):
    sample = torch.randn(1, rows, 2)
    task.train_step(sample, model, criterion, optimizer, 0, **options)


def assigned(model):
    """Vectors that the last update counted: the decay is 0.5 and counts start at 1 each."""
    return round(float(model.bottleneck.codebook.counts.sum()) * 2 - 4)


def test_micro_batches_add_up_and_are_applied_once(trained):
    task, model, optimizer = trained
    optimizer.zero_grad()
    for rows in (3, 4):
        step(task, model, optimizer, rows)
    task.optimizer_step(optimizer, model, 0)
    assert assigned(model) == 7
    assert int(model.bottleneck.codebook.num_applied) == 1


def test_an_overflowed_step_is_forgotten(trained):
    task, model, optimizer = trained
    optimizer.zero_grad()
    step(task, model, optimizer, 50)
    optimizer.zero_grad()  # what fairseq's trainer does after an overflow, and before every step
    step(task, model, optimizer, 3)
    task.optimizer_step(optimizer, model, 0)
    assert assigned(model) == 3


def test_a_dummy_batch_does_not_count(trained):
    task, model, optimizer = trained
    optimizer.zero_grad()
    step(task, model, optimizer, 3)
    step(task, model, optimizer, 40, ignore_grad=True)
    task.optimizer_step(optimizer, model, 0)
    assert assigned(model) == 3


def test_an_overflow_under_amp_skips_the_codebook_too(trained):
    task, model, optimizer = trained

    class Scaler:
        """torch.amp.GradScaler needs a GPU; what the task reads of it is the scale before and after."""

        scale = 128.0

        def get_scale(self):
            return self.scale

    optimizer.scaler = Scaler()
    plain_step, optimizer.step = optimizer.step, lambda *a, **k: setattr(optimizer.scaler, "scale", 64.0)
    optimizer.zero_grad()
    step(task, model, optimizer, 3)
    task.optimizer_step(optimizer, model, 0)
    assert assigned(model) == 4  # untouched: 4 codes with a count of 1, and 4 * 2 - 4
    optimizer.step = plain_step
    optimizer.zero_grad()
    step(task, model, optimizer, 5)
    task.optimizer_step(optimizer, model, 0)
    assert assigned(model) == 5


def test_an_overflowed_alternating_step_is_forgotten():
    torch.manual_seed(1)
    task, model, optimizer = system(Model("vq", codebook_inner_lr=5.0))
    before = model.bottleneck.codebook.weight.clone()
    optimizer.zero_grad()
    step(task, model, optimizer, 50)
    optimizer.zero_grad()  # what fairseq's trainer does after an overflow
    torch.manual_seed(2)
    step(task, model, optimizer, 6)
    task.optimizer_step(optimizer, model, 0)
    other = Model("vq", codebook_inner_lr=5.0)
    other.bottleneck.codebook.weight.data.copy_(before)
    torch.manual_seed(2)
    criterion(other, torch.randn(1, 6, 2))
    other.bottleneck.apply_update()
    assert torch.equal(model.bottleneck.codebook.weight, other.bottleneck.codebook.weight)
    assert not torch.equal(model.bottleneck.codebook.weight, before)


@pytest.mark.parametrize("start", ["data", "random"])
@pytest.mark.parametrize("flat", [False, True])
def test_what_the_codebook_writes_survives_the_fp16_optimizers_copy(monkeypatch, start, flat):
    """fairseq's mixed-precision optimizers write their fp32 copy, flat on a GPU, over the parameters in each step."""
    monkeypatch.setattr(torch.cuda, "current_device", lambda: None)  # the index that CPU tensors have
    options = {"codebook_start": start, "codebook_start_updates": 1}
    options |= {"dead_code_threshold": 0.9} if start == "random" else {}
    model = Model("vq", **options).bfloat16()
    assert model.bottleneck.codebook.weight.dtype == torch.float32
    task, _, plain = system(model)
    parameters = [p for p in model.parameters() if p.requires_grad]
    copies = FP16Optimizer.build_fp32_params(None, parameters, flatten=flat)
    config = OmegaConf.create({"optimizer": {}, "common": {"bf16": True, "fp16_scale_window": 1}})
    optimizer = FP16Optimizer(
        config, parameters, FairseqAdam(plain.cfg, [*copies.values()] if flat else copies), copies
    )
    model.bottleneck.codebook.counts[0] = 0  # dead, where dead codes are replaced
    before = model.bottleneck.codebook.weight.clone()
    optimizer.zero_grad()
    task.train_step(torch.randn(1, 30, 2).bfloat16(), model, criterion, optimizer, 0)
    task.optimizer_step(optimizer, model, 0)
    written = model.bottleneck.codebook.weight.clone()
    assert not torch.equal(written, before)
    optimizer.zero_grad()
    optimizer.step()  # at a learning rate of 0
    assert torch.equal(model.bottleneck.codebook.weight, written)
    assert model.scale.dtype == torch.bfloat16


def test_flat_copies_are_written_in_the_right_place():
    types = (torch.float16, torch.float32, torch.float32)
    parameters = [torch.nn.Parameter(torch.full((2, 3), float(i), dtype=t)) for i, t in enumerate(types)]
    flat = torch.nn.Parameter(torch.full((18,), 7.0))
    optimizer = Namespace(fp32_params={None: flat}, fp16_params=parameters)  # the CPU's device index is None
    write_through(optimizer, [parameters[0], parameters[2]])
    assert flat.tolist() == [7.0] * 12 + [2.0] * 6, "neither the half one nor the one that was not named"


def test_what_is_logged_of_a_bottleneck():
    with metrics.aggregate() as logged:
        task, model, optimizer = system(Model("gm_vq"))
        model.bottleneck.set_num_updates(25_000)
        optimizer.zero_grad()
        step(task, model, optimizer, 5)
        task.optimizer_step(optimizer, model, 0)
        values = logged.get_smoothed_values()
    assert values["temperature"] == pytest.approx(1.05)
    assert values["code_ppl"] == pytest.approx(float(model.bottleneck.codebook.perplexity()), abs=1e-3)
    assert 0 < values["code_use"] <= 1
