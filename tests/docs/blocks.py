"""The fenced blocks of README, docs and CONTRIBUTING, and which of them are not run."""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml
from bitext import REPO

HERE = Path(__file__).parent
FENCE = re.compile(r"^( *)```(\w+)[^\n]*\n(.*?)^\1```$", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A fenced block: its page, the line of its first command, its language and text."""

    page: str
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def pages() -> list[str]:
    """All pages with commands: the tutorial first, whose files the others use."""
    docs = sorted(str(path.relative_to(REPO)) for path in (REPO / "docs").rglob("*.md"))
    docs.remove("docs/tutorial.md")
    return ["docs/tutorial.md", "README.md", "CONTRIBUTING.md", *docs]


@cache
def blocks() -> tuple[Block, ...]:
    """Every block, page after page."""
    found = []
    for page in pages():
        text = (REPO / page).read_text(encoding="utf-8")
        for match in FENCE.finditer(text):
            line = text.count("\n", 0, match.start()) + 2
            found.append(Block(page, line, match[2], match[3]))
    return tuple(found)


def of_language(*names: str) -> list[Block]:
    """The blocks of these languages; a block that is printed twice counts once."""
    unique: dict[str, Block] = {}
    for block in blocks():
        if block.language in names:
            unique.setdefault(block.text, block)
    return list(unique.values())


def not_run() -> dict[Block, str]:
    """The blocks listed in not_run.yaml, with their reasons."""
    found = {}
    for entry in yaml.safe_load((HERE / "not_run.yaml").read_text(encoding="utf-8")):
        matching = [
            block for block in blocks() if block.page == entry["page"] and block.text.startswith(entry["block"])
        ]
        assert len(matching) == 1, f"not_run.yaml: {entry['page']}, {entry['block']!r}: {len(matching)} blocks"
        found[matching[0]] = entry["why"]
    return found


def toy_options(words: list[str]) -> list[str]:
    """What toy.yaml appends to a command."""
    for entry in yaml.safe_load((HERE / "toy.yaml").read_text(encoding="utf-8")):
        if set(entry["when"]) <= set(words):
            return str(entry["append"]).split()
    return []
