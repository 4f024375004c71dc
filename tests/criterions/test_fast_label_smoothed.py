"""The fast criterion of a teacher against fairseq's own."""

from types import SimpleNamespace

import pytest
import torch
from fairseq.criterions.label_smoothed_cross_entropy import LabelSmoothedCrossEntropyCriterion

from vqnat.criterions.fast_label_smoothed import FastLabelSmoothedCrossEntropy

PAD = 1


class Logits(torch.nn.Module):
    """A model whose logits are its parameters."""

    def __init__(self):
        super().__init__()
        self.logits = torch.nn.Parameter(torch.randn(3, 5, 37, generator=torch.Generator().manual_seed(1)))

    def forward(self, **inputs):
        return self.logits, None

    def get_normalized_probs(self, output, log_probs):
        return output[0].log_softmax(-1)

    def get_targets(self, sample, output):
        return sample["target"]


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("prefix", [0, 2])
def test_values_and_gradients_are_fairseqs(smoothing, prefix):
    target = torch.randint(2, 37, (3, 5), generator=torch.Generator().manual_seed(2))
    target[1, 3:] = PAD
    sample = {"net_input": {}, "target": target, "ntokens": 13}
    task = SimpleNamespace(target_dictionary=SimpleNamespace(pad=lambda: PAD))
    found = []
    for kind in (LabelSmoothedCrossEntropyCriterion, FastLabelSmoothedCrossEntropy):
        model = Logits()
        loss, size, log = kind(task, False, smoothing, prefix)(model, sample)
        loss.backward()
        found.append((loss.detach(), log["nll_loss"], model.logits.grad))
        assert size == 13
    for theirs, ours in zip(*found, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-6)
