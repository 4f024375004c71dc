"""What a translation is, for both engines: torch (:class:`vqnat.hub.LatentTranslator`) and the runner without it.

Each case is run by either engine, on each kind of model, sentence by sentence and in large batches, and must give the
same tokens, the same codes, and scores that differ by rounding only. What holds of one holds of all, so the rules of
the search are checked once.
"""

from dataclasses import dataclass, field

import numpy as np
import pytest
from exporting import Exported, same

from vqnat_serving import Hypothesis

SLOW = pytest.mark.slow  # trained for this file only
KINDS = (
    *("trained", "pieces", "ratio"),
    *(pytest.param(kind, marks=SLOW) for kind in ("ctc", "expecting", "dag", "parallel_ctc", "parallel_dag")),
)


@dataclass(frozen=True)
class Case:
    """One way to translate.

    Attributes:
        beam, n_best: as of ``translate``.
        lines: what is translated; None: short and long, empty and unknown ones in no order.
        settings: how the engine was loaded: limits on the length, length penalty.
    """

    beam: int = 1
    n_best: int = 1
    lines: tuple[str, ...] | None = None
    settings: dict[str, float] = field(default_factory=dict)


CASES = {
    "greedy": Case(),
    "beam": Case(beam=4, n_best=4),
    "the best of a beam": Case(beam=4),
    "the three best of a beam": Case(beam=4, n_best=3),
    "a beam without length penalty": Case(beam=3, n_best=3, settings={"length_penalty": 0.0}),
    "a beam wider than there are codes": Case(beam=70, lines=("one two", "three"), settings={"max_len_b": 2}),
    "at most three tokens": Case(settings={"max_len_b": 3}),
    "limits by the source's length": Case(
        beam=2, n_best=2, settings={"max_len_a": 0.7, "max_len_b": 1, "length_penalty": 0.3}
    ),
    "empty lines": Case(beam=2, n_best=2, lines=("", "  \t")),
    "an empty line among others": Case(lines=("one two three", "", "nine")),
    "one sentence": Case(lines=("four five six",)),
    "one sentence twice, with padding": Case(beam=2, lines=("four five", "one " * 30, "four five")),
    "no sentence": Case(lines=()),
}


@pytest.fixture(params=KINDS)
def exported(request) -> Exported:
    return request.getfixturevalue(request.param)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_both_engines_find_the_same(exported, case):
    latents = exported.description.latents
    if case.beam > 1 and not latents:
        pytest.skip("one translation per sentence without latents")
    lines = exported.sentences if case.lines is None else list(case.lines)
    expected = exported.torch(**case.settings, max_sentences=1).hypotheses(lines, case.beam, case.n_best)
    for engine in (exported.torch, exported.onnx):
        for batches in ({"max_sentences": 1}, {"max_tokens": 2000 * case.beam}):
            same(engine(**case.settings, **batches).hypotheses(lines, case.beam, case.n_best), expected)

    if case.lines is None and not case.settings:  # different sentences, or the comparison would say little
        assert len({one[0].tokens for one in expected}) > len(lines) / 2
    for line, found in zip(lines, expected, strict=True):
        if not line.strip():
            assert found == [Hypothesis("", (), 0.0)]
            continue
        assert 1 <= len(found) <= case.n_best
        assert all(np.isfinite(one.score) for one in found)
        assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)
        if latents:
            assert len({one.codes for one in found}) == len(found)
            most, fixed = code_limit(exported, line, **case.settings)
            assert all(len(one.codes) == most if fixed else 1 <= len(one.codes) <= most for one in found)
        else:
            assert len(found[0].tokens) <= most_tokens(exported, line, **case.settings)


def most_tokens(
    exported: Exported, line: str, max_len_a: float = 0.0, max_len_b: int = 200, length_penalty: float = 1.0
) -> int:
    """The most target tokens of a line."""
    return max(1, int(max_len_a * len(exported.runner.encode(line)) + max_len_b))


def code_limit(exported: Exported, line: str, **settings: float) -> tuple[int, bool]:
    """The most codes of a line, and whether it has exactly so many."""
    about = exported.description
    fixed = about.length_mode == "ratio"
    if fixed:
        tokens = len(exported.runner.encode(line))
        positions = int(np.ceil(np.float32(about.length_ratio) * np.float32(tokens)))
    else:
        positions = most_tokens(exported, line, **settings)
    return min(about.max_codes, -(-positions // about.stride)), fixed


@pytest.mark.parametrize("engine", ["torch", "onnx"])
def test_n_best_is_the_start_of_the_beam(trained, engine):
    translator = getattr(trained, engine)()
    whole = translator.hypotheses(trained.sentences, beam=4, n_best=4)
    same(translator.hypotheses(trained.sentences, beam=4, n_best=2), [one[:2] for one in whole])
