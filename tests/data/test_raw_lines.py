"""Raw text with strange and bad lines: pairs stay pairs, and a bad line is named and handled as was said."""

import json
import sys
from pathlib import Path

import bitext
import pytest

from vqnat.data.binarize import check_raw, sentences
from vqnat.errors import UserError
from vqnat_serving.text_lines import BadLines

# None of these ends a line, though Python's splitlines and universal newlines think so of most.
SEPARATORS = "\x0b \x0c \x1c \x1d \x1e \x85 \u2028 \u2029 \r"


def write(folder: Path, train: dict[str, bytes]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for split in ("train", "valid", "test"):
        for language in ("en", "de"):
            content = train[language] if split == "train" else b"one\n"
            (folder / f"{split}.{language}").write_bytes(content)
    return folder


def test_only_a_line_feed_ends_a_line(tmp_path):
    text = f"a {SEPARATORS} b\nc\r\n".encode()
    raw = write(tmp_path, {"en": text, "de": b"x\ny\n"})
    found, dropped = check_raw(raw, ("en", "de"), BadLines())
    assert found["train.en"]["lines"] == found["train.de"]["lines"] == 2 and not dropped["train"]
    assert list(sentences(raw / "train.en", set())) == ["a b", "c"]


def test_both_sides_of_a_bad_line_are_dropped_if_that_was_said(tmp_path):
    sides = {"en": b"a\n\xff\nc\n\nlast", "de": b"1\n2\n3\n4\n5\n"}
    raw = write(tmp_path, sides)
    with pytest.raises(UserError, match=r"train.en, line 2: not UTF-8 at byte 0"):
        check_raw(raw, ("en", "de"), BadLines())
    notes: list[str] = []
    found, dropped = check_raw(raw, ("en", "de"), BadLines(notes.append))
    assert found["train.en"]["lines"] == 5 and dropped["train"] == {2, 4}
    kept = [list(sentences(raw / f"train.{language}", dropped["train"])) for language in ("en", "de")]
    assert kept == [["a", "c", "last"], ["1", "3", "5"]]
    assert len(notes) == 2 and notes[1].startswith(f"{raw / 'train.en'}, line 4: empty line")


def test_nothing_left_is_said(tmp_path):
    raw = write(tmp_path, {"en": b"\n", "de": b"x\n"})
    with pytest.raises(UserError, match="no pair is left"):
        check_raw(raw, ("en", "de"), BadLines(lambda note: None))


@pytest.mark.slow
def test_the_command_line_counts_them(tmp_path):
    lines = [f"one two three {SEPARATORS} {number}" for number in range(200)]
    sides = {language: "".join(line + "\n" for line in lines).encode() for language in ("en", "de")}
    sides["en"] = sides["en"].replace(b"three", b"\xff", 1)
    write(tmp_path / "raw", sides)
    words = ("--raw", tmp_path / "raw", "--out", tmp_path / "out", "--vocabulary", 40, "--workers", 1)
    command = (sys.executable, "data-prep/binarize.py", *words)
    done = bitext.run(*command, check=False)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    done = bitext.run(*command, "--bad-lines", "drop")
    assert done.stderr.splitlines()[-1] == "binarize: 1 bad line: 1 pairs dropped"
    assert (tmp_path / "out" / "pieces" / "train.de").read_bytes().count(b"\n") == 199
    assert json.loads((tmp_path / "out" / "data.json").read_text())["dropped"]["train"] == [1]
