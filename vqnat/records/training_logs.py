"""Logs of fairseq-train: following one, and its JSON lines as curves."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

# 2026-11-21 05:18:30 | INFO | train_inner | {"epoch": 1, "loss": "10.1", ...}
KINDS = ("train_inner", "train", "valid", "valid1")  # valid1: the distilled validation set, where there is one
LINE = re.compile(r"\| (train_inner|train|valid1?) \| (\{.*\})\s*$")


def parse(line: str) -> tuple[str, dict[str, float]] | None:
    """Kind and numbers of a line, names without a prefix such as ``train_`` or ``valid1_``; None for other lines."""
    found = LINE.search(line)
    if not found:
        return None
    try:
        raw = json.loads(found[2])
    except ValueError:
        return None
    values = {}
    for name, value in raw.items():
        try:
            values[name.removeprefix(f"{found[1]}_")] = float(value)
        except (TypeError, ValueError):
            continue
    return found[1], values


class Follower:
    """Returns the lines that were added to a log since the last call."""

    def __init__(self, log: Path) -> None:
        self.log = log
        self.position = log.stat().st_size if log.exists() else 0
        self.rest = b""

    def lines(self) -> Iterator[str]:
        """The new lines that are complete."""
        if not self.log.exists():
            return
        if self.log.stat().st_size < self.position:
            self.position, self.rest = 0, b""  # written anew
        with self.log.open("rb") as file:
            file.seek(self.position)
            added = file.read()
        self.position += len(added)
        *lines, self.rest = (self.rest + added).split(b"\n")
        yield from (line.decode("utf-8", "replace") for line in lines)

    def new(self) -> Iterator[tuple[str, dict[str, float]]]:
        """The new lines that :func:`parse` understands, parsed."""
        for line in self.lines():
            if parsed := parse(line):
                yield parsed


def curves(log: Path) -> dict[str, list[dict[str, float]]]:
    """``{"train_inner": [...], "train": [...], "valid": [...], "valid1": [...]}``, each by rising ``num_updates``.

    A training that was stopped repeats some updates; the later line counts.
    """
    found: dict[str, dict[float, dict[str, float]]] = {kind: {} for kind in KINDS}
    if log.exists():
        with log.open(encoding="utf-8", errors="replace") as file:
            for line in file:
                parsed = parse(line)
                if parsed and "num_updates" in parsed[1]:
                    found[parsed[0]][parsed[1]["num_updates"]] = parsed[1]
    return {kind: [lines[n] for n in sorted(lines)] for kind, lines in found.items()}


def wall_seconds(log: Path) -> float | None:
    """The training's own clock at its last line, which counts the time before it was stopped and resumed."""
    known = [line["wall"] for lines in curves(log).values() for line in lines if "wall" in line]
    return max(known, default=None)
