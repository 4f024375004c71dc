"""``--autocast``: what is computed in which precision."""

import logging
import re
from argparse import Namespace
from pathlib import Path

import pytest
import torch
from fairseq.optim.adam import FairseqAdam, FairseqAdamConfig
from omegaconf import OmegaConf

from vqnat.bottlenecks import build_bottleneck
from vqnat.tasks import autocast as autocast_module
from vqnat.tasks.latent_translation import LatentTranslationConfig, LatentTranslationTask


class Model(torch.nn.Module):
    """A linear layer before a bottleneck."""

    def __init__(self):
        super().__init__()
        self.linear = torch.nn.Linear(8, 8)
        options = Namespace(codebook_size=64, codebook_start="random", ema_decay=0.9, dead_code_threshold=0.0)
        self.bottleneck = build_bottleneck("hard_em", options, 8)

    def set_num_updates(self, num_updates):
        pass


def run(autocast):
    """One step; returns what the criterion saw and the model."""
    torch.manual_seed(1)
    task = LatentTranslationTask(LatentTranslationConfig(autocast=autocast), None, None)
    model, seen = Model(), {}

    def criterion(model, sample):
        z = model.linear(sample["x"])
        output = model.bottleneck(z, torch.ones(z.shape[:2], dtype=torch.bool))
        with torch.autocast("cpu", enabled=False):
            distances = torch.cdist(z.float(), model.bottleneck.codebook.embedding)
        seen.update(z=z, codes=output.codes, nearest=distances.argmin(-1))
        return output.quantized.sum(), 1, {}

    optimizer = FairseqAdam(OmegaConf.structured(FairseqAdamConfig(lr=[0.0], tpu=False)), list(model.parameters()))
    sample = {"x": torch.randn(4, 50, 8), "target": torch.zeros(4, 50, dtype=torch.long)}
    task.train_step(sample, model, criterion, optimizer, 0)
    return seen, model


def test_layers_in_bfloat16_codes_and_weights_in_fp32():
    seen, model = run("bf16")
    assert seen["z"].dtype == torch.bfloat16
    assert torch.equal(seen["codes"], seen["nearest"])  # distances in bfloat16 would mistake close codes
    assert model.linear.weight.dtype == model.linear.weight.grad.dtype == torch.float32
    assert model.bottleneck.codebook.sums.dtype == torch.float32
    assert not torch.is_autocast_enabled("cpu")


def test_off_by_default():
    seen, _ = run(LatentTranslationConfig().autocast)
    assert seen["z"].dtype == torch.float32


@pytest.mark.parametrize("has_instructions, dtype", [(True, torch.bfloat16), (False, torch.float32)])
def test_auto_takes_bfloat16_only_where_the_processor_multiplies_it(has_instructions, dtype, monkeypatch, caplog):
    # Processors of both kinds cannot be had on one machine.
    monkeypatch.setattr(autocast_module, "multiplies_bfloat16", lambda device: has_instructions)
    with caplog.at_level(logging.INFO, "vqnat"):
        seen, _ = run("auto")
    assert seen["z"].dtype == dtype
    assert ("fp32" in caplog.text) != has_instructions


def test_bf16_without_the_instructions_is_said(monkeypatch, caplog):
    monkeypatch.setattr(autocast_module, "multiplies_bfloat16", lambda device: False)
    seen, _ = run("bf16")
    assert seen["z"].dtype == torch.bfloat16  # as asked for
    assert "this CPU has no bfloat16 instructions" in caplog.text


def test_this_processors_instructions():
    """The kernel's own list of instructions agrees, where there is one."""
    cpuinfo = Path("/proc/cpuinfo")
    flags = re.search(r"^flags\s*:(.*)", cpuinfo.read_text(), re.MULTILINE) if cpuinfo.exists() else None
    if flags is None:
        pytest.skip("no list of this processor's instructions")
    assert autocast_module.multiplies_bfloat16("cpu") == bool({"avx512_bf16", "amx_bf16"} & set(flags[1].split()))
