"""Figures of codes made by hand."""

import math

import pytest
import torch

from vqnat.diagnosis.code_figures import (
    code_figures,
    code_perplexity,
    ends_right,
    equal_by_position,
    length_figures,
    right_by_position,
    wrong_by_offset,
)
from vqnat.diagnosis.teacher_forcing import Forced
from vqnat.reporting.diagnosis import grouped


def sentence(codes, right, wrong=None, nats=None, **posterior):
    return Forced(
        torch.tensor(codes),
        torch.tensor(nats or [math.log(2)] * len(right)),
        torch.tensor(right, dtype=torch.bool),
        wrong=None if wrong is None else torch.tensor(wrong, dtype=torch.bool),
        **{name: torch.tensor(values) for name, values in posterior.items()},
    )


def test_right_by_position_leaves_the_end_out():
    rows = [sentence([3, 4, 5], [1, 0, 1, 1]), sentence([7], [0, 1]), sentence([1, 2], [1, 1, 0])]
    found = right_by_position(rows)
    assert [one["count"] for one in found] == [3, 2, 1]
    assert [one["share"] for one in found] == pytest.approx([2 / 3, 1 / 2, 1])
    assert ends_right(rows) == pytest.approx(2 / 3)
    assert ends_right([sentence([3, 4], [1, 0])]) is None  # a model whose ends are given


def test_equal_codes_by_position_count_the_wanted_ones():
    found = [torch.tensor([1, 2, 9, 9]), torch.tensor([1])]
    wanted = [torch.tensor([1, 3, 9]), torch.tensor([1, 5])]
    assert equal_by_position(found, wanted) == [
        {"share": 1.0, "count": 2},
        {"share": 0.0, "count": 2},
        {"share": 1.0, "count": 1},
    ]


def test_wrong_words_by_their_place_in_a_code():
    # Codes of four words; the second text ends within its second code.
    rows = [sentence([1, 2], [1, 1, 1], [1, 0, 0, 1, 1, 0, 0, 0]), sentence([1, 2], [1, 1, 1], [0, 1, 0, 0, 1, 0])]
    found = wrong_by_offset(rows, 4)
    assert [one["count"] for one in found["by_offset"]] == [4, 4, 3, 3]
    assert [one["share"] for one in found["by_offset"]] == pytest.approx([3 / 4, 1 / 4, 0, 1 / 3])
    assert found["edge"] == pytest.approx(4 / 7) and found["inside"] == pytest.approx(1 / 7)
    two = wrong_by_offset(rows, 2)
    assert two["inside"] is None and two["edge"] == pytest.approx(5 / 14)
    assert wrong_by_offset([sentence([1], [1], [1])], 4)["by_offset"][3] == {"share": None, "count": 0}
    assert wrong_by_offset([sentence([1], [1, 1])], 4) is None


def test_means_are_over_codes_and_not_over_sentences():
    rows = [
        sentence([0, 1], [1, 1, 1], [0, 0], [math.log(2), math.log(4), math.log(4)], best=[1.0, 0.5]),
        sentence([1], [0, 0], [1], [math.log(16), math.log(16)], best=[0.9]),
    ]
    found = code_figures(rows, 4)
    assert (found["sentences"], found["codes"]) == (2, 3)
    assert found["bits"] == pytest.approx((1 + 2 + 2 + 4 + 4) / 5)
    assert found["right"] == pytest.approx(3 / 5) and found["words_right"] == pytest.approx(2 / 3)
    assert found["best"] == pytest.approx(0.8)
    assert found["entropy_bits"] is None and found["agree"] is None  # no posterior
    assert found["perplexity"] == pytest.approx(3 / 2 ** (2 / 3))


def test_perplexity_and_lengths():
    assert code_perplexity([torch.tensor([0, 1]), torch.tensor([2, 3])], 8) == pytest.approx(4)
    codes, wanted = [torch.tensor([5, 5, 5])], [torch.tensor([5, 5])]
    assert length_figures(codes, wanted, 8) == {"codes_ratio": 1.5, "perplexity": pytest.approx(1)}
    assert length_figures(codes, None, 8)["codes_ratio"] is None


def test_late_positions_are_put_together_by_their_counts():
    line = [{"share": 1.0, "count": 9}, {"share": 0.5, "count": 3}, {"share": 0.0, "count": 1}]
    assert grouped(line, 3) == [1.0, 0.5, 0.0]
    assert grouped(line, 1) == [1.0, pytest.approx(1.5 / 4)]
    assert grouped(None) == []
