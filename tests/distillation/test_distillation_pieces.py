"""Source text is cut and binarized as data-prep/binarize.py and fairseq-preprocess did with the data."""

import shutil
from pathlib import Path

import bitext
import numpy as np
import pytest

from vqnat.data.bitext import open_train_split
from vqnat.distillation.distill_options import Options
from vqnat.distillation.source_text import read_source_text

pytestmark = pytest.mark.slow


def test_same_tokens_as_the_data(tmp_path: Path) -> None:
    bitext.write(tmp_path / "raw", {"train": 120, "valid": 12, "test": 30}, shortest=4, longest=11)
    test = tmp_path / "raw" / "test.en"
    lines = test.read_text(encoding="utf-8").splitlines()
    lines[:3] = ["  one\ttwo\u00a0three ☃ four", "One TWO thirteen", "onetwo , three-four"]
    test.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    prepared = ("--raw", tmp_path / "raw", "--out", tmp_path, "--vocabulary", 60, "--workers", 1)
    bitext.run("data-prep/binarize.py", *prepared)
    rest = tmp_path / "rest" / "bin"  # without the test set, whose lines would be dropped
    shutil.copytree(tmp_path / "bin", rest, ignore=lambda _, names: [n for n in names if n.startswith("test")])
    shutil.copy(tmp_path / "spm.model", rest.parent)
    text = read_source_text(Options(rest, "x", tmp_path / "out", source_text=test), open_train_split(rest, None, None))
    expected = open_train_split(tmp_path / "bin", None, None).sentences("test", "en")
    numbers = text.numbers.tolist()
    assert numbers[:3] == [1, 2, 3] and len(numbers) > 20
    for line, number in enumerate(numbers):
        np.testing.assert_array_equal(text[line], expected[number - 1].numpy())
    assert text.counts["unknown_tokens"] == sum(int((expected[n - 1] == 3).sum()) for n in numbers) > 0
    # what is in the data's test set is found there, though the data has it in pieces only
    upper = tmp_path / "upper.en"
    again = [lines[0].strip(), *(line.upper().replace(" ", "  ") for line in lines[3:]), "one two new"]
    upper.write_text("\n".join(again) + "\n", encoding="utf-8")
    whole = tmp_path / "bin"
    text = read_source_text(
        Options(whole, "x", tmp_path / "out", source_text=upper), open_train_split(whole, None, None)
    )
    assert text.counts["dropped_in_valid_or_test"] == 28
    assert text.numbers.tolist() == [29]
