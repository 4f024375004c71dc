"""The test set translated by one system: the output of fairseq-generate as text in the corpus's order."""

import re
from collections.abc import Iterable
from pathlib import Path

import sentencepiece

HYPOTHESIS = re.compile(r"^H-(\d+)\t[^\t]*\t(.*)$")


def read_hypotheses(lines: Iterable[str], count: int, model: Path) -> list[str]:
    """The best hypothesis of each of ``count`` sentences, subwords joined by the sentencepiece ``model``."""
    processor = sentencepiece.SentencePieceProcessor(model_file=str(model))
    found: dict[int, str] = {}
    for line in lines:
        if match := HYPOTHESIS.match(line.rstrip("\n")):
            found.setdefault(int(match[1]), processor.decode(match[2].split()))  # best first
    missing = [n for n in range(count) if n not in found]
    if missing:
        shown = ", ".join(str(n + 1) for n in missing[:5])
        raise ValueError(f"{len(missing)} of {count} test sentences have no translation: lines {shown} ...")
    return [found[n] for n in range(count)]


def read_lines(path: Path) -> list[str]:
    """Lines of text; only a line feed ends one."""
    return path.read_text(encoding="utf-8").removesuffix("\n").split("\n")


def write_lines(path: Path, lines: list[str]) -> None:
    """Write one sentence per line."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
