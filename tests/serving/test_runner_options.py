"""The runner's own options: int8, scores that are not wanted, a given number of codes."""

import pytest
from exporting import same

KINDS = ("trained", "pieces", "ratio")


@pytest.fixture(params=KINDS)
def exported(request):
    return request.getfixturevalue(request.param)


def test_int8_is_int8_and_translates_as_well(trained):
    lines = [line for line in trained.sentences if len(line.split()) in range(3, 13)]  # what it was trained on
    expected = trained.onnx().translate(lines)
    found = trained.onnx(precision="int8").translate(lines)
    assert sum(a == b for a, b in zip(found, expected, strict=True)) >= 0.9 * len(lines)
    for part in ("encoder", "greedy", "beam", "decoder"):
        small, large = (trained.folder / name / f"{part}.onnx" for name in ("int8", "fp32"))
        operator = b"MatMulIntegerToFloat"
        assert operator in small.read_bytes() and operator not in large.read_bytes()
        assert small.stat().st_size < large.stat().st_size


def test_scores_that_nobody_wants_change_no_translation(exported):
    runner = exported.onnx()
    scored = [one[0] for one in runner.hypotheses(exported.sentences)]
    bare = [one[0] for one in runner.hypotheses(exported.sentences, scored=False)]
    assert [one.tokens for one in bare] == [one.tokens for one in scored]
    assert runner.translate(exported.sentences) == [one.text for one in scored]
    # What is left of the score is the codes'.
    assert all(ours.score > theirs.score for ours, theirs in zip(bare, scored, strict=True) if theirs.tokens)


def test_benchmarks_can_say_how_many_codes(trained):
    runner = trained.onnx()
    runner.forced_codes = 5
    assert {len(one[0].codes) for one in runner.hypotheses(trained.sentences) if one[0].codes} == {5}


def test_int8_does_not_depend_on_the_batch(trained):
    alone = trained.onnx(precision="int8", max_sentences=1).hypotheses(trained.sentences)
    together = trained.onnx(precision="int8", max_tokens=2000).hypotheses(trained.sentences)
    # An activation at the edge of two of its 255 steps goes either way with the order of summing, which is rare.
    same(together, alone, tolerance=1e-2)
    apart = [abs(ours[0].score - theirs[0].score) for ours, theirs in zip(together, alone, strict=True)]
    assert sum(difference > 1e-3 for difference in apart) <= 0.1 * len(apart)
