"""The autoregressive helper: causal, trained with the rest, and a judge of candidates."""

import pytest
import torch
from test_latent_transformer import Task, build, sample

from vqnat.criterions.latent_transformer_loss import LatentTransformerLoss
from vqnat.decoding.latent_generator import LatentGenerator


@torch.no_grad()
def test_a_word_depends_on_those_before_it_only():
    model = build(helper_layers=2).eval()
    batch = sample()[1]
    source = model.encoder(batch["net_input"]["src_tokens"])
    target = batch["target"].clone()
    before = model.helper(target, 2, source)
    target[:, 4] = 9
    after = model.helper(target, 2, source)
    torch.testing.assert_close(after[:, :5], before[:, :5])
    assert (after[:, 5:] != before[:, 5:]).any(-1).all()


def test_its_loss_is_added_and_teaches_the_encoder():
    batch = sample()[1]
    losses, gradients = [], []
    for weight in (0.0, 1.0, 2.0):
        model = build(helper_layers=1).train()
        loss, _, log = LatentTransformerLoss(None, 0.0, 1.0, helper_weight=weight)(model, batch)
        loss.backward()
        losses.append(float(loss.detach()))
        gradients.append(model.encoder.stack.layers[0].fc1.weight.grad)
    assert losses[1] - losses[0] == pytest.approx(float(log["helper_loss"]), rel=1e-4)
    assert losses[2] - losses[1] == pytest.approx(losses[1] - losses[0], rel=1e-3)
    assert not torch.allclose(gradients[0], gradients[1])


@torch.no_grad()
def test_candidates_are_ordered_by_the_helpers_probability():
    model = build(helper_layers=1).eval()
    singles, batch = sample()
    generator = LatentGenerator(model, Task().target_dictionary, beam=4, by_helper=True)
    found = generator.generate([model], batch)
    for row, hypotheses in enumerate(found):
        alone = generator.generate([model], singles[row])[0]
        source = model.encoder(singles[row]["net_input"]["src_tokens"])
        scores = []
        for hypothesis, other in zip(hypotheses, alone, strict=True):
            tokens = hypothesis["tokens"]
            logits = model.output_proj(model.helper(tokens.unsqueeze(0), 2, source))[0]
            words = logits.log_softmax(-1).gather(-1, tokens.unsqueeze(-1)).squeeze(-1)
            torch.testing.assert_close(hypothesis["positional_scores"], words, rtol=1e-4, atol=1e-4)
            torch.testing.assert_close(hypothesis["score"], other["score"], rtol=1e-4, atol=1e-4)
            scores.append(float(hypothesis["score"]))
        assert scores == sorted(scores, reverse=True)
