"""Each mistake gives one line on stderr and status 2."""

import shutil
from collections.abc import Callable
from pathlib import Path

import bitext
import pytest

from vqnat.commands.distill import main

pytestmark = pytest.mark.slow


@pytest.fixture
def refused(root: Path, tmp_path: Path, capsys: pytest.CaptureFixture) -> Callable[..., str]:
    """Run the command line in this process; returns its only line."""

    def call(*extra: object, data: Path = root / "bin", path: object = root / "teacher.pt") -> str:
        words = [data, "--path", path, "--out", tmp_path / "out", "--cpu", *extra]
        capsys.readouterr()
        assert main([str(word) for word in words]) == 2
        error = capsys.readouterr().err
        assert error.startswith("vqnat distill: ") and error.count("\n") == 1, error
        assert not list((tmp_path / "out").glob("train*"))
        return error

    return call


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--k-best 5 --beam 4", "--k-best 5: must be at most --beam, which is 4"),
        ("--mix-raw 1.5", "--mix-raw 1.5: must be from 0 to 1"),
        ("--mix-raw nan", "--mix-raw nan: must be from 0 to 1"),
        ("--num-shards 3 --shard 3", "--shard 3: must be from 0 to 2"),
        ("--shard -1", "--shard -1: must be from 0 to 0"),
        ("--num-shards 3", "--num-shards 3: must be given together with --shard I or --merge"),
        ("--num-shards 3 --jobs 2 --shard 1", "--jobs 2: must be given without --num-shards"),
        ("--beam 0", "--beam 0: must be at least 1"),
        ("--beam two", "--beam two: not a whole number"),
        ("--user-dir no/such/plugin", "--user-dir no/such/plugin: cannot be imported (no such folder)"),
        ("--source-lang fr --target-lang de", "no train split for fr-de (pairs there: en-de)"),
        ("--source-lang en", "give both --source-lang and --target-lang (pairs there: en-de)"),
        ("--fp16", "--fp16: needs a GPU"),
    ],
)
def test_options(refused: Callable[..., str], words: str, message: str) -> None:
    assert message in refused(*words.split())


def test_teacher_files(root: Path, refused: Callable[..., str], tmp_path: Path) -> None:
    assert f"--path {root}/none.pt: no such file" in refused(path=root / "none.pt")
    assert f"--path {root}/none.pt: no such file" in refused(path=f"{root}/teacher.pt:{root}/none.pt")
    content = (root / "teacher.pt").read_bytes()
    for name, damaged in (("cut.pt", content[: len(content) // 2]), ("empty.pt", b""), ("text.pt", b"hello")):
        (tmp_path / name).write_bytes(damaged)
        assert f"{name}: not a readable" in refused(path=tmp_path / name)


def test_data_folders(root: Path, refused: Callable[..., str], tmp_path: Path) -> None:
    assert "none: no such folder" in refused(data=tmp_path / "none")
    data = shutil.copytree(root / "bin", tmp_path / "bin")
    (data / "train.en-de.de.bin").unlink()
    assert "train.en-de.de.bin: no such file" in refused(data=data)
    (data / "train.en-de.de.bin").write_bytes(b"")
    assert "train.en-de.de.bin: 0 bytes, but train.en-de.de.idx says" in refused(data=data)
    for path in data.glob("train*"):
        path.unlink()
    assert f"{data}: no train split" in refused(data=data)
    assert "--out" in refused("--out", root / "bin")


def test_vocabularies(root: Path, refused: Callable[..., str], tmp_path: Path) -> None:
    data = shutil.copytree(root / "bin", tmp_path / "bin")
    dictionary = data / "dict.de.txt"
    lines = dictionary.read_text().splitlines()
    dictionary.write_text("\n".join([*lines, "zehn 1"]) + "\n")
    error = refused(data=data)
    assert f"the model has {len(lines) + 4} target symbols, the dictionary of the data {len(lines) + 5} (4" in error
    dictionary.write_text("\n".join([lines[1], lines[0], *lines[2:]]) + "\n")
    error = refused(data=data)
    assert f"line 1 of its dictionary {root}/bin/dict.de.txt" in error and f"in {dictionary}" in error


def test_source_text(root: Path, refused: Callable[..., str], tmp_path: Path) -> None:
    text = tmp_path / "more.en"
    assert f"--source-text {text}: no such file" in refused("--source-text", text)
    raw = (root / "raw" / "train.en").read_bytes()
    for content, message in (
        (b"", "empty"),
        (b" \n\n", "empty"),
        (b"one two\nthree \xff four\n", "not UTF-8 in line 2 (byte 14)"),
        (raw + b"\n" + raw.upper(), f"none of its 401 lines is new to {root}/bin"),
        (b"this is not one\nof them\n", f"83 % of its pieces are not in {root}/bin/dict.en.txt"),
    ):
        text.write_bytes(content)
        assert f"--source-text {text}: {message}" in refused("--source-text", text), content
    text.write_text("one two three four five six seven eight nine\n")
    assert "bpe 'words' is unknown; choose from: auto, " in refused("--source-text", text, "--bpe", "words")
    assert f"{text}: not a sentencepiece model" in refused("--source-text", text, "--bpe-model", text)
    assert "--bpe none: must be given together with --source-text" in refused("--bpe", "none")
    assert f"--bpe-model {text}: must be given together with --source-text" in refused("--bpe-model", text)


def test_sets_for_valid_too(root: Path, refused: Callable[..., str], tmp_path: Path) -> None:
    data = shutil.copytree(root / "bin", tmp_path / "bin")
    shutil.copy(data / "valid.en-de.en.idx", data / "valid1.en-de.en.idx")
    assert f"--valid-too: {data} has a split valid1 already" in refused("--valid-too", data=data)
    (data / "valid.en-de.de.idx").unlink()
    assert "--valid-too: " in (error := refused("--valid-too", data=data))
    assert "valid.en-de.de.idx: no such file" in error


def test_foreign_files_in_out(root: Path, refused: Callable[..., str], tmp_path: Path) -> None:
    shard = tmp_path / "out" / "shards" / "shard-0-of-1.journal"
    shard.parent.mkdir(parents=True)
    shard.write_text("hello\n")
    assert f"{shard}: not a shard of a distillation" in refused()


def test_ctranslate2_takes_one_stock_transformer(root: Path, refused: Callable, tmp_path: Path) -> None:
    pytest.importorskip("ctranslate2")
    both = f"{root}/teacher.pt:{root}/other.pt"
    error = refused("--engine", "ctranslate2", path=both)
    assert f"--path {both}: must be one checkpoint with --engine ctranslate2" in error
    parallel = bitext.train_parallel(root / "bin", tmp_path / "parallel", updates=1)
    error = refused("--engine", "ctranslate2", path=parallel)
    assert f"{parallel}: a ParallelTransformerTiny; CTranslate2 reads fairseq's transformer only" in error
