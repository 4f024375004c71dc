"""The names of binarized files tell splits and languages."""

import struct
import sys

import bitext
import pytest

from vqnat.data.bitext import find_pairs, open_split
from vqnat.errors import UserError

NO_SENTENCES = struct.pack("<9sQBQ", b"MMIDIDX", 1, 4, 0)


def write(folder, *names):
    for name in names:
        (folder / name).write_bytes(NO_SENTENCES if name.endswith(".idx") else b"")
    return folder


def test_pairs_of_each_split(tmp_path):
    write(tmp_path, "train.en-de.en.idx", "train.en-de.de.idx", "valid1.en-de.de.idx", "test.en-zh-CN.zh-CN.idx")
    write(tmp_path, "test.zh-CN-en.zh-CN.idx", "train.en-de.fr.idx", "dict.en.txt", "train.en-de.en.bin")
    assert find_pairs(tmp_path) == {
        "train": {("en", "de")},
        "valid1": {("en", "de")},
        "test": {("en", "zh-CN"), ("zh-CN", "en")},
    }
    with pytest.raises(UserError, match="none: no such folder"):
        find_pairs(tmp_path / "none")


def test_languages_of_a_split(tmp_path):
    write(tmp_path, *(f"test.en-de.{x}.{ending}" for x in ("en", "de") for ending in ("bin", "idx")))
    write(tmp_path, "dict.en.txt", "dict.de.txt")
    assert open_split(tmp_path, "test").bitext.pair == "en-de"
    reverse = open_split(tmp_path, "test", "de")
    assert (reverse.source, reverse.target, reverse.bitext.pair) == ("de", "en", "en-de")
    assert [path.name for path in reverse.files()] == [
        *("test.en-de.de.bin", "test.en-de.en.bin", "dict.de.txt", "dict.en.txt"),
    ]
    for words, message in (
        (("valid",), r"--gen-subset valid: not in .* \(splits there: test\)"),
        (("test", "fr"), r"--source-lang fr --target-lang None: not one pair of .* \(pairs there: en-de\)"),
    ):
        with pytest.raises(UserError, match=message):
            open_split(tmp_path, *words)
    write(tmp_path, *(f"test.en-fr.{x}.idx" for x in ("en", "fr")))
    with pytest.raises(UserError, match="pairs there: en-de en-fr"):
        open_split(tmp_path, "test", "en")
    (tmp_path / "dict.de.txt").unlink()
    with pytest.raises(UserError, match=r"dict\.de\.txt: no such file"):
        open_split(tmp_path, "test", "en", "de")


def test_the_subword_model_does_not_say_where_it_was_made(tmp_path):
    bitext.write(tmp_path / "raw", {"train": 40, "valid": 2, "test": 2})
    for name in ("one", "other"):
        words = ("--raw", tmp_path / "raw", "--out", tmp_path / name, "--vocabulary", 60)
        bitext.run(sys.executable, "-m", "vqnat.data.binarize", *words, "--source", "en", "--target", "de")
    model = (tmp_path / "one" / "spm.model").read_bytes()
    assert model == (tmp_path / "other" / "spm.model").read_bytes() and str(tmp_path).encode() not in model
