"""Lines that cannot be translated: named by file and number, counted, handled as was said; tracebacks with --debug."""

import subprocess
import sys

import bitext
import pytest

from vqnat_serving import text_lines

GOOD = "The man sleeps.\n"
LINES = (GOOD.encode(), b"b\xff\n", b"a " * 2000 + b"\n", GOOD.encode())


@pytest.fixture
def files(tmp_path):
    """Two files: a good one, and one with bad lines."""
    good, bad = tmp_path / "good.en", tmp_path / "bad.en"
    good.write_text(GOOD)
    bad.write_bytes(b"".join(LINES))
    return good, bad


def translate(*words: object, text: bytes = b"", **environment: str) -> subprocess.CompletedProcess:
    import os

    command = [sys.executable, "-m", "vqnat", "translate", *map(str, words)]
    options = {"cwd": bitext.REPO, "env": {**os.environ, **environment}, "capture_output": True, "input": text}
    return subprocess.run(command, **options)


def test_the_first_bad_line_ends_a_command(files):
    good, bad = files
    done = translate("-i", good, "-i", bad)
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.decode() == f"vqnat translate: {bad}, line 2: not UTF-8 at byte 1\n"
    done = translate(text=LINES[0] + LINES[2])
    assert done.stderr.decode().startswith("vqnat translate: standard input, line 2 has 2001 tokens, its end included")


def test_or_bad_lines_are_counted_and_translated_as_empty(files):
    good, bad = files
    done = translate("-i", good, "-i", bad, "--bad-lines", "empty")
    assert done.returncode == 0
    first, *rest = done.stdout.decode().split("\n")
    assert rest == [first, "", "", first, ""]
    notes = done.stderr.decode().splitlines()
    assert notes[0] == f"vqnat translate: {bad}, line 2: not UTF-8 at byte 1"
    assert notes[1].startswith(f"vqnat translate: {bad}, line 3 has 2001 tokens")
    assert notes[2:] == ["vqnat translate: 2 bad lines: translated as empty lines"]


def test_many_bad_lines_are_counted_not_all_named():
    done = translate("--bad-lines", "empty", text=b"\xff\n" * 1000 + GOOD.encode())
    notes = done.stderr.decode().splitlines()
    assert len(notes) == text_lines.NAMED + 1 and notes[-1].endswith("1000 bad lines: translated as empty lines")
    assert done.stdout.count(b"\n") == 1001


def test_a_line_without_end_takes_no_memory(tmp_path):
    notes: list[str] = []
    path = tmp_path / "long"
    path.write_bytes(b"x" * (3 * text_lines.LONGEST) + b"\nshort\n" + b"y" * (text_lines.LONGEST + 1))
    with path.open("rb") as stream:
        found = list(text_lines.read_lines(stream, "long", text_lines.BadLines(notes.append)))
    assert [line and line.text for line in found] == [None, "short", None]
    assert notes == [f"long, line {number} has more than {text_lines.LONGEST} bytes" for number in (1, 3)]


def test_arguments_that_are_no_text():
    done = translate("The man sleeps.", b"b\xff".decode("utf-8", "surrogateescape"))
    said = "vqnat translate: TEXT 2 is not text: half of a surrogate pair, U+DCFF, at character 1\n"
    assert (done.returncode, done.stdout, done.stderr.decode()) == (2, b"", said)


def test_results_are_utf8_whatever_the_locale():
    text = b"The old woman wanted to buy three books.\n"
    done = translate(text=text, PYTHONIOENCODING="latin-1", PYTHONUTF8="0", LC_ALL="C")
    assert done.returncode == 0 and "Bücher" in done.stdout.decode("utf-8")


def test_tracebacks_only_with_debug(capsys):
    from vqnat_serving.arguments import CommandParser
    from vqnat_serving.console import run_program
    from vqnat_serving.errors import UserError

    def mistaken(options):
        raise UserError("--x 3: needed 4")

    def broken(options):
        return {}["a\nb"]

    for work, status, line in (
        (mistaken, 2, "vqnat test: --x 3: needed 4\n"),
        (broken, 1, "vqnat test: internal error, please report it (KeyError: 'a\\nb'); --debug shows the traceback\n"),
    ):
        assert run_program(CommandParser("vqnat test", ""), work, []) == status
        assert capsys.readouterr().err == line
        assert run_program(CommandParser("vqnat test", ""), work, ["--debug"]) == status
        said = capsys.readouterr().err
        assert said.startswith("Traceback (most recent call last)") and said.endswith(line)
