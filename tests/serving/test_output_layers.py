"""Exported models of every output layer: what is theirs beside the specification of the search."""

import pytest

from vqnat_serving.errors import UserError

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("kind", ["ctc", "dag", "parallel_ctc", "parallel_dag"])
def test_int8_translates_every_line(request, kind):
    exported = request.getfixturevalue(kind)
    assert len(exported.onnx(precision="int8").translate(exported.sentences)) == len(exported.sentences)


@pytest.mark.parametrize("kind", ["parallel_ctc", "parallel_dag"])
def test_without_latents_there_is_no_beam(request, kind):
    with pytest.raises(UserError, match="beam 2: this model has no latents"):
        request.getfixturevalue(kind).onnx().hypotheses(["one two"], beam=2)
