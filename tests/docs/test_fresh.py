"""Tables and figures of README and docs are those of the committed results."""

import json
import re
import sys
from pathlib import Path

import pytest
from bitext import REPO

from vqnat.commands import render_figures, render_tables
from vqnat.reporting.figures import FIGURES, pareto_front
from vqnat.reporting.markdown import fill_markdown, select

RESULTS = {
    "systems": [{"name": "one"}, {"name": "two"}, {"name": "three"}],
    "samples": [{"line": line, "outputs": {"one": "eins", "two": "zwei", "three": "drei"}} for line in (5, 10)],
}


def rendered_files():
    """Every Markdown file with a marker, in the whole repository."""
    folders = (REPO / "docs", REPO / "examples")
    paths = [REPO / "README.md", *(path for folder in folders for path in sorted(folder.rglob("*.md")))]
    return [path for path in paths if "<!-- results: " in path.read_text(encoding="utf-8")]


def test_tables(monkeypatch, capsys):
    files = rendered_files()
    assert {REPO / "README.md", REPO / "docs" / "results" / "multi30k.md"} <= set(files)
    monkeypatch.setattr(sys, "argv", ["render_tables", "--check", *map(str, files)])
    assert render_tables.main() == 0, capsys.readouterr().err


def test_figures(capsys):
    assert render_figures.main(["--check"]) == 0, capsys.readouterr().err


def test_a_figure_says_when_its_results_change(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(render_figures, "REPOSITORY", tmp_path)
    for _, sources in FIGURES.values():
        for source in sources:
            (tmp_path / source).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / source).write_bytes((REPO / source).read_bytes())
    assert render_figures.main(["ablations.svg"]) == 0
    assert render_figures.main(["--check", "ablations.svg"]) == 0
    path = tmp_path / "examples" / "multi30k" / "gap.json"
    results = json.loads(path.read_text(encoding="utf-8"))
    [base] = [system for system in results["systems"] if system["name"] == "base"]
    base["sacrebleu"] += 1
    path.write_text(json.dumps(results), encoding="utf-8")
    assert render_figures.main(["--check", "ablations.svg"]) == 1
    assert "ablations.svg is out of date" in capsys.readouterr().err
    assert render_figures.main(["nothing.svg"]) == 2
    results["systems"].remove(base)
    with pytest.raises(ValueError, match="no system 'base'; there are teacher_beam"):
        FIGURES["ablations.svg"][0](results)


@pytest.mark.parametrize("path", sorted((REPO / "docs" / "figures").glob("*.svg")), ids=lambda path: path.name)
def test_figures_load_nothing_and_know_dark_mode(path):
    text = path.read_text(encoding="utf-8")
    assert "prefers-color-scheme: dark" in text and "<title" in text
    outside = re.findall(r'(?:href|src)="(?!#)[^"]*"|url\((?!#)[^)]*\)|@import', text)
    assert not outside
    defined = set(re.findall(r"(--[\w-]+):", text))
    assert set(re.findall(r"var\((--[\w-]+)\)", text)) <= defined


def test_pareto_front():
    assert pareto_front([(1, 1), (2, 3), (3, 2), (4, 3), (5, 4), (1, 0)]) == [(1, 1), (2, 3), (5, 4)]


def test_a_marker_selects_systems_and_samples():
    page = "<!-- results: a.json all only=three,one lines=10 -->\n<!-- end -->"
    found = fill_markdown(page, lambda name: RESULTS, {"all": json.dumps})
    assert '"systems": [{"name": "one"}, {"name": "three"}]' in found
    assert '"samples": [{"line": 10, "outputs": {"one": "eins", "three": "drei"}}]' in found
    assert fill_markdown(found, lambda name: RESULTS, {"all": json.dumps}) == found


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("only", "one,four", "no system 'four'; there are one, two, three"),
        ("lines", "7", "no sample of line '7'; there are 5, 10"),
        ("first", "3", "must be one of only, lines"),
    ],
)
def test_a_selection_that_is_not_there(key, value, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        select(RESULTS, key, value)


def test_readme_is_short_and_its_links_lead_somewhere():
    text = Path(REPO / "README.md").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 150
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", text):
        assert target.startswith("http") or (REPO / target).exists(), target
