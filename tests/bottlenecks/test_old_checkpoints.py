"""Checkpoints of version 0.1 load, decode as they did, and training goes on as it would have."""

import pytest
import torch
from old_checkpoints import make
from quantizing import label, same_state

OLD = make.unpack(torch.load(make.FILE, weights_only=True))
every = pytest.mark.parametrize("old", OLD, ids=lambda old: f"{label((old['name'], old['options']))}-{old['updates']}")


def state_of(old):
    return {key.removeprefix("state."): value for key, value in old["tensors"].items() if key.startswith("state.")}


def test_the_file_is_what_the_script_says():
    assert [(old["name"], old["options"], old["updates"]) for old in OLD] == make.CASES


@every
def test_an_old_checkpoint_gives_the_same_codes_and_vectors(old):
    bottleneck = make.build(old["name"], old["options"], seed=99)
    bottleneck.load_state_dict(state_of(old))
    output = bottleneck.eval()(*make.batch(99))
    assert torch.equal(output.codes, old["tensors"]["codes"])
    torch.testing.assert_close(output.quantized, old["tensors"]["quantized"])


@every
def test_the_same_training_gives_the_same_state(old):
    bottleneck = make.build(old["name"], old["options"])
    make.train(bottleneck, old["updates"])
    same_state(bottleneck.state_dict(), state_of(old))
