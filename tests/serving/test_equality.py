"""The exported model writes what the checkpoint writes, whatever the batch."""

import numpy as np
import pytest
import torch

KINDS = ("trained", "pieces", "ratio")


@pytest.fixture(params=KINDS)
def exported(request):
    return request.getfixturevalue(request.param)


def same(found, expected, tolerance=1e-3):
    """The same hypotheses; scores but for the order of summing."""
    assert len(found) == len(expected)
    for ours, theirs in zip(found, expected, strict=True):
        assert [(h.text, h.tokens, h.codes) for h in ours] == [(h.text, h.tokens, h.codes) for h in theirs]
        assert [h.score for h in ours] == pytest.approx([h.score for h in theirs], abs=tolerance)


@pytest.mark.parametrize("beam", [1, 4])
def test_torch_and_onnx_write_the_same_in_any_batch(exported, beam):
    lines = exported.sentences
    expected = exported.torch(max_sentences=1).hypotheses(lines, beam, beam)
    # Sentences are different, and so are their translations, or this test would say little.
    assert len({one[0].tokens for one in expected}) > len(lines) / 2
    same(exported.torch(max_tokens=2000 * beam).hypotheses(lines, beam, beam), expected)
    same(exported.onnx(max_sentences=1).hypotheses(lines, beam, beam), expected)
    same(exported.onnx(max_tokens=2000 * beam).hypotheses(lines, beam, beam), expected)


def test_limits_on_the_length_are_the_same(trained, ratio):
    lines = trained.sentences
    for exported in (trained, ratio):
        for limits in ({"max_len_b": 3}, {"max_len_a": 0.7, "max_len_b": 1, "length_penalty": 0.3}):
            same(exported.onnx(**limits).hypotheses(lines, 2, 2), exported.torch(**limits).hypotheses(lines, 2, 2))
    short = trained.onnx(max_len_b=3).hypotheses(lines)
    assert max(len(one[0].codes) for one in short if one[0].codes) == 2  # nc = 1: two codes for three tokens


@torch.no_grad()
def test_step_with_cache_is_the_predictor_without(exported):
    model, runner = exported.torch().model, exported.onnx()
    lines = [line for line in exported.sentences if line][:5]
    rows = [runner.encode(line) for line in lines]
    tokens = np.full((5, max(map(len, rows))), 1)
    for index, row in enumerate(rows):
        tokens[index, : len(row)] = row
    source = runner.models.encode(tokens, tokens != 1)
    codes = np.random.default_rng(1).integers(0, 64, (5, 6))
    cache = runner.models.new_cache(5, 7)
    last = np.full(5, runner.description.end)
    expected = model.predictor(model.bottleneck.embed(torch.tensor(codes)), model.encoder(torch.tensor(tokens)))
    for position in range(7):
        found = runner.models.step(last, position, cache, source)
        torch.testing.assert_close(
            torch.tensor(found), expected[:, position].log_softmax(-1), rtol=1e-3, atol=1e-3, check_dtype=False
        )
        last = codes[:, position] if position < 6 else None


def test_int8_is_int8_and_translates_as_well(trained):
    lines = [line for line in trained.sentences if len(line.split()) in range(3, 13)]  # what it was trained on
    expected = trained.onnx().translate(lines)
    for precision, operator in (("int8", b"MatMulNBits"), ("int8_dynamic", b"MatMulInteger")):
        found = trained.onnx(precision=precision).translate(lines)
        assert sum(a == b for a, b in zip(found, expected, strict=True)) >= 0.9 * len(lines)
        for part in ("encoder", "step", "decoder"):
            small, large = (trained.folder / name / f"{part}.onnx" for name in (precision, "fp32"))
            assert operator in small.read_bytes() and operator not in large.read_bytes()
            assert small.stat().st_size < large.stat().st_size


def test_int8_does_not_depend_on_the_batch(trained):
    alone = trained.onnx(precision="int8", max_sentences=1).hypotheses(trained.sentences)
    together = trained.onnx(precision="int8", max_tokens=2000).hypotheses(trained.sentences)
    # An activation at the edge of two of its 255 steps goes either way with the order of summing, which is rare.
    same(together, alone, tolerance=1e-2)
    apart = [abs(ours[0].score - theirs[0].score) for ours, theirs in zip(together, alone, strict=True)]
    assert sum(difference > 1e-3 for difference in apart) <= 0.1 * len(apart)
