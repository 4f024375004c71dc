"""The documentation as a site: builds without a warning, loads nothing from elsewhere, leaves nothing out."""

import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
from bitext import REPO
from shared import made_once

pytest.importorskip("mkdocs", reason="needs the extra docs")

LOADS = {"script": "src", "img": "src", "iframe": "src", "source": "src", "video": "src", "object": "data"}


def build(folder):
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)],
        cwd=REPO,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    return made_once(tmp_path_factory, "site", build)


class Page(HTMLParser):
    """What a page loads, links to, and can be linked to."""

    def __init__(self, text):
        super().__init__()
        self.loads, self.links, self.ids, self.missing_alt = [], [], set(), []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        self.ids.add(found.get("id"))
        if tag in LOADS and found.get(LOADS[tag]):
            self.loads.append(found[LOADS[tag]])
        if tag == "link" and found.get("rel") not in ("canonical", "prev", "next"):
            self.loads.append(found["href"])
        if tag == "a" and found.get("href"):
            self.links.append(found["href"])
        if tag == "img" and not found.get("alt"):
            self.missing_alt.append(found.get("src"))


def pages(site):
    return {path.relative_to(site).as_posix(): Page(path.read_text(encoding="utf-8")) for path in site.rglob("*.html")}


def test_nothing_is_loaded_from_elsewhere(site):
    for name, page in pages(site).items():
        assert not [url for url in page.loads if re.match(r"(?:https?:)?//", url)], name
        assert not page.missing_alt, name
    for path in site.rglob("*.css"):
        outside = re.findall(r"(?:url\(|@import\s*)[\"']?((?:https?:)?//[^)\"']*)", path.read_text(encoding="utf-8"))
        assert not outside, path.name


def test_every_page_is_in_the_navigation(site):
    sys.path.insert(0, str(REPO / "docs"))
    try:
        from hooks import nav_pages
    finally:
        sys.path.pop(0)
    written = {path.relative_to(REPO / "docs").as_posix() for path in (REPO / "docs").rglob("*.md")}
    assert written == nav_pages()


def test_commands_and_options_are_those_of_the_parsers(site):
    import importlib

    from checking import parser_options

    from vqnat.cli import COMMANDS

    text = (site / "reference" / "commands.html").read_text(encoding="utf-8")
    for name, command in COMMANDS.items():
        assert f"vqnat {name}" in text
        for option in parser_options(importlib.import_module(command.module).parser()) - {"-h", "--help"}:
            assert option in text, f"vqnat {name} {option}"


def test_formulas_and_included_pages(site):
    assert "<math" in (site / "explanation" / "em.html").read_text(encoding="utf-8")
    for name, source in {
        "contributing.html": "CONTRIBUTING.md",
        "changelog.html": "CHANGELOG.md",
        "lab/multi30k.html": "examples/multi30k/NOTES.md",
    }.items():
        title = (REPO / source).read_text(encoding="utf-8").splitlines()[0].removeprefix("# ")
        assert f">{title}<" in re.sub(r"<a class=\"headerlink\".*?</a>", "", (site / name).read_text(encoding="utf-8"))


def test_docstrings_are_without_roles_of_sphinx(site):
    for path in site.rglob("*.html"):
        assert not re.search(r":(class|meth|mod):<code>", path.read_text(encoding="utf-8")), path.name


def test_every_training_option_is_listed(site):
    from vqnat.bottlenecks import bottleneck_options

    text = (site / "reference" / "training.html").read_text(encoding="utf-8")
    for option in bottleneck_options():
        assert f"--{option.name.replace('_', '-')}" in text


def test_the_readme_links_to_headings_that_exist(site):
    for target, anchor in re.findall(r"\]\(docs/([^)#]+)\.md#([^)]*)\)", Path(REPO / "README.md").read_text("utf-8")):
        assert f'id="{anchor}"' in (site / f"{target}.html").read_text(encoding="utf-8"), f"{target}#{anchor}"
