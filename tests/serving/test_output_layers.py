"""Exported models of every output layer write what their checkpoints write, whatever the batch."""

import bitext
import pytest
from exporting import UNTRAINED, make
from test_equality import same

from vqnat_serving.errors import UserError

pytestmark = pytest.mark.slow
CASES = [(latents, layer) for latents in (True, False) for layer in ("ctc", "dag")]


@pytest.fixture(scope="module", params=CASES, ids=lambda case: f"{'latents, ' if case[0] else ''}{case[1]}")
def exported(request, digits, tmp_path_factory):
    latents, layer = request.param
    folder = tmp_path_factory.mktemp("layers")
    options = ("--output-layer", layer, "--output-upsample", 1.5 if latents else 2.5, "--disable-validation")
    if latents:
        options += ("--compression-steps", 2, *UNTRAINED)
    train = bitext.train_latent if latents else bitext.train_parallel
    checkpoint = train(digits, folder / "run", *options, updates=60)
    return latents, make(checkpoint, digits, folder / "exported", "--precision", "fp32", "int8")


def test_torch_and_onnx_write_the_same_in_any_batch(exported):
    latents, exported = exported
    lines = exported.sentences
    for beam in (1, 3) if latents else (1,):
        expected = exported.torch(max_sentences=1).hypotheses(lines, beam, beam)
        assert len({one[0].tokens for one in expected}) > len(lines) / 2
        same(exported.torch(max_tokens=2000).hypotheses(lines, beam, beam), expected)
        same(exported.onnx(max_sentences=1).hypotheses(lines, beam, beam), expected)
        same(exported.onnx(max_tokens=2000).hypotheses(lines, beam, beam), expected)
    limits = {"max_len_b": 3, "length_penalty": 0.3}
    same(exported.onnx(**limits).hypotheses(lines), exported.torch(**limits).hypotheses(lines))
    assert len(exported.onnx(precision="int8").translate(lines)) == len(lines)


def test_without_latents_there_is_no_beam(exported):
    latents, exported = exported
    if not latents:
        with pytest.raises(UserError, match="beam 2: this model has no latents"):
            exported.onnx().hypotheses(["one two"], beam=2)
