"""python -m vqnat.embedded."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from bitext import REPO

from vqnat.embedded import generate
from vqnat.embedded.__main__ import main

SIZES = ["--train", "30", "--valid", "5", "--test", "0"]


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_same_bytes_whatever_the_hash_seed(tmp_path: Path) -> None:
    written = []
    for hash_seed in ("0", "4711"):
        folder = tmp_path / hash_seed
        command = [sys.executable, "-m", "vqnat.embedded", "--out", str(folder), *SIZES]
        subprocess.run(command, check=True, cwd=REPO, env={**os.environ, "PYTHONHASHSEED": hash_seed})
        written.append(files(folder))
    assert written[0] == written[1]


def test_written_files(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "corpus"
    assert main(["--out", str(folder), "--seed", "3", *SIZES]) == 0
    content = files(folder)
    names = [f"{name}.{language}" for name in ("train", "valid", "test") for language in ("en", "de")]
    assert sorted(content) == sorted([*names, "corpus.json"])
    drawn = generate(3, 30, 5, 0)
    assert content["train.de"].decode().splitlines() == [target for _, target in drawn["train"]]
    assert content["valid.en"].decode().splitlines() == [source for source, _ in drawn["valid"]]
    assert content["test.en"] == b""
    description = json.loads(content["corpus.json"])
    assert description["seed"] == 3
    assert description["sizes"] == {"train": 30, "valid": 5, "test": 0}
    assert description["command"] == "python -m vqnat.embedded --seed 3 --train 30 --valid 5 --test 0"
    assert description["sha256"] == {name: hashlib.sha256(content[name]).hexdigest() for name in names}


def test_more_sources_change_nothing_else(tmp_path: Path) -> None:
    for folder, more in (("less", "0"), ("more", "40")):
        assert main(["--out", str(tmp_path / folder), *SIZES, "--more", more]) == 0
    less, more = files(tmp_path / "less"), files(tmp_path / "more")
    added = more.pop("more.en").decode().splitlines()
    assert len(set(added)) == 40 and not set(added) & set(less["train.en"].decode().splitlines())
    assert json.loads(more.pop("corpus.json"))["command"].endswith("--test 0 --more 40")
    del less["corpus.json"]
    assert more == less


def test_check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["--out", str(tmp_path), *SIZES])
    source, output = tmp_path / "valid.en", tmp_path / "output"
    lines = (tmp_path / "valid.de").read_text(encoding="utf-8").splitlines()
    assert main(["--check", str(source), str(tmp_path / "valid.de")]) == 0
    assert capsys.readouterr().out == "100.00% right translations (5 of 5)\n"
    output.write_text("\n".join(["", *lines[1:]]), encoding="utf-8")
    assert main(["--check", str(source), str(output)]) == 0
    assert capsys.readouterr().out == "80.00% right translations (4 of 5)\n"


def error_of(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """Returns the one line of a refusal."""
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == "" and captured.err.count("\n") == 1
    return captured.err


def test_refusals_of_generation(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "file"
    file.write_text("")
    assert f"{file} is not a folder" in error_of(["--out", str(file)], capsys)
    assert str(file / "below") in error_of(["--out", str(file / "below"), *SIZES], capsys)
    assert "train must not be negative" in error_of(["--out", str(tmp_path), "--train", "-1"], capsys)
    assert "too many" in error_of(["--out", str(tmp_path), "--train", "10" + "0" * 9], capsys)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_refusals_of_check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one, two, binary = tmp_path / "one", tmp_path / "two", tmp_path / "binary"
    one.write_text("Hello world.\n")
    two.write_text("Hallo.\nWelt.\n")
    binary.write_bytes(b"\xff\n")
    mismatch = error_of(["--check", str(one), str(two)], capsys)
    assert f"{one} has 1 lines, but {two} has 2" in mismatch
    assert f"{one}, line 1: not a sentence" in error_of(["--check", str(one), str(one)], capsys)
    assert f"{binary} is not UTF-8" in error_of(["--check", str(binary), str(one)], capsys)
    assert str(tmp_path / "none") in error_of(["--check", str(one), str(tmp_path / "none")], capsys)


@pytest.mark.parametrize("arguments", [[], ["--out", "x", "--check", "a", "b"], ["--out", "x", "--seed", "y"]])
def test_bad_usage(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert error_of(arguments, capsys).startswith("vqnat embedded: --")
