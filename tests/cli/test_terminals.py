"""Bars, tables and colors on a terminal; plain lines elsewhere; NO_COLOR and --quiet."""

import re
import sys

from running import VQNAT, on_terminal, run

COLOR = re.compile(r"\x1b\[[0-9;]*3[0-9][0-9;]*m")
PROGRESS = """
from vqnat.terminal.progress import Progress, Steps
progress = Progress("distill", 30, done=10)
for _ in range(4):
    progress.update(5)
progress.close()
with Steps("latency", thread={thread}) as steps:
    steps.step("round [1] of 2", total=3)
    for _ in range(3):
        steps.advance()
    steps.step("memory")
print("result")
"""


def program(thread=False):
    return [sys.executable, "-c", PROGRESS.format(thread=thread)]


def test_help_is_styled_on_a_terminal_only():
    plain = run(*VQNAT, "--help").stdout
    assert "\x1b" not in plain
    status, shown = on_terminal([*VQNAT, "--help"])
    assert status == 0 and COLOR.search(shown)
    assert re.sub(r"\x1b\[[0-9;]*m", "", shown).replace("\r\n", "\n") == plain
    for no_color in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        assert "\x1b" not in on_terminal([*VQNAT, "--help"], no_color)[1]


def test_help_of_a_command_is_colored_unless_no_color_is_set():
    status, shown = on_terminal([*VQNAT, "embedded", "--help"])
    plain = run(*VQNAT, "embedded", "--help", env={"COLUMNS": "100"}).stdout
    assert status == 0 and COLOR.search(shown)
    assert re.sub(r"\x1b\[[0-9;]*m", "", shown).split() == plain.split()
    assert not COLOR.search(on_terminal([*VQNAT, "embedded", "--help"], {"NO_COLOR": "1"})[1])


def test_progress_is_lines_in_a_log():
    done = run(*program())
    assert done.stdout == "result\n"
    lines = done.stderr.splitlines()
    assert re.fullmatch(r"vqnat distill: 30/30 sentences, [\d.]+ sentences/s, 0:00 left", lines[0])
    assert lines[1:] == ["vqnat latency: round [1] of 2", "vqnat latency: memory"]


def test_progress_is_bars_on_a_terminal():
    for thread in (False, True):
        status, shown = on_terminal(program(thread))
        assert status == 0
        assert "30/30" in shown and "sentences/s" in shown and "━" in shown
        assert "✓ \x1b[0mround [1] of 2" in shown or "✓ round [1] of 2" in re.sub(r"\x1b\[[0-9;?]*\w", "", shown)
        assert "vqnat distill:" not in shown
        assert COLOR.search(shown)
    assert not COLOR.search(on_terminal(program(), {"NO_COLOR": "1"})[1])
    # A terminal that cannot move its cursor gets lines.
    assert "vqnat latency: memory" in on_terminal(program(), {"TERM": "dumb"})[1]


def test_quiet_leaves_the_result():
    quiet = {"VQNAT_QUIET": "1"}
    done = run(*program(), env=quiet)
    assert (done.stdout, done.stderr) == ("result\n", "")
    assert on_terminal(program(True), quiet)[1] == "result\r\n"


def test_a_result_does_not_pass_through_the_bar():
    """Standard error is a terminal, standard output is a file: what is printed meanwhile goes to the file."""
    code = PROGRESS.format(thread=True).replace('steps.step("memory")', 'steps.step("memory"); print("early")')
    _, shown = on_terminal(["bash", "-c", f"out=$({sys.executable} -c '{code}'); echo; echo \"[$out]\""])
    assert "[early\r\nresult]" in shown


TABLE = """
from vqnat.terminal.tables import Table, print_parts
names = [f"name {n}" for n in range(9)]
rows = [["first", "long words " * 5, *(f"{n}.{n}{n}" for n in range(1, 8))]]
print_parts(["title", Table(names, rows), "a [note]"])
"""


def test_a_table_on_a_narrow_terminal_keeps_every_figure():
    for columns in ("40", "200"):
        status, shown = on_terminal([sys.executable, "-c", TABLE], {"COLUMNS": columns})
        assert status == 0 and "title" in shown and "a [note]" in shown and "…" not in shown
        lines = re.sub(r"\x1b\[[0-9;]*m", "", shown).replace("\r", "").splitlines()
        assert max(map(len, lines)) <= int(columns)
        words = " ".join(lines).split()
        assert all(f"{n}.{n}{n}" in words for n in range(1, 8))
        assert words.count("first") == (1 if columns == "200" else shown.count("name 0"))
