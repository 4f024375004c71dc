"""When the task applies, and when it drops, what the bottleneck has accumulated."""

from argparse import Namespace

import pytest
import torch
from fairseq.optim.adam import FairseqAdam, FairseqAdamConfig
from omegaconf import OmegaConf

from vqnat.bottlenecks import build_bottleneck
from vqnat.tasks.latent_translation import LatentTranslationConfig, LatentTranslationTask


class Model(torch.nn.Module):
    """As little of a model as the task looks at: a parameter, a bottleneck."""

    def __init__(self):
        super().__init__()
        self.scale = torch.nn.Parameter(torch.ones(()))
        options = Namespace(codebook_size=4, codebook_start="random", ema_decay=0.5, dead_code_threshold=0.0)
        self.bottleneck = build_bottleneck("hard_em", options, 2)

    def set_num_updates(self, num_updates):
        pass


def criterion(model, sample):
    output = model.bottleneck(sample * model.scale, torch.ones(sample.shape[:2], dtype=torch.bool))
    return output.quantized.sum(), 1, {}


@pytest.fixture
def trained():
    task = LatentTranslationTask(LatentTranslationConfig(), None, None)
    model = Model()
    config = OmegaConf.structured(FairseqAdamConfig(lr=[0.0], tpu=False))
    return task, model, FairseqAdam(config, list(model.parameters()))


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
