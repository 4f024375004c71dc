"""The systems of the codebook benchmark do the same work, and the program writes what it measured."""

import json
import sys

import bitext
import pytest
import torch

from vqnat.benchmarking.codebook_systems import SYSTEMS, Shape, scores_fit

SHAPE = Shape(200, 32, 8)


@pytest.mark.parametrize("name", ["naive", "vector_quantize_pytorch"])
def test_others_do_what_hard_em_does(name):
    ours, theirs = SYSTEMS["hard_em"](SHAPE), SYSTEMS[name](SHAPE)
    for _ in range(3):  # the codes that the second step reads were moved by the first
        torch.testing.assert_close(theirs(), ours(), rtol=1e-4, atol=1e-4)


def test_soft_em_draws_other_codes():
    assert not torch.allclose(SYSTEMS["soft_em_10"](SHAPE)(), SYSTEMS["hard_em"](SHAPE)())


def test_what_needs_too_much_memory_is_left_out():
    assert scores_fit(Shape(1000, 1000, 8), 16_000_000)
    assert not scores_fit(Shape(1000, 1001, 8), 16_000_000)


def test_the_program_writes_its_figures(tmp_path):
    sizes = ("--vectors", 64, "--codes", 16, "--dim", 4, "--rounds", 3, "--memory")
    done = bitext.run(sys.executable, "scripts/benchmark_codebook.py", *sizes, "--json", tmp_path / "found.json")
    found = json.loads((tmp_path / "found.json").read_text())
    (shape,) = found["shapes"]
    assert set(shape["ms"]) == set(shape["peak_mib"]) == set(SYSTEMS)
    assert all(len(times) == 3 for times in shape["ms"].values())
    ratio = shape["ratios"]["hard_em over the matrix product"]
    assert ratio["min"] <= ratio["median"] <= ratio["max"]
    assert "N 64, K 16, D 4" in done.stdout and found["seed"] == 1
    done = bitext.run(sys.executable, "scripts/benchmark_codebook.py", "--codes", 0, check=False)
    assert done.returncode == 2 and done.stderr.strip() == "benchmark_codebook: --codes 0: needed 1 or more"
