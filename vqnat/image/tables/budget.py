"""How many updates a training makes: those of its epochs, or as many as fit into a number of minutes."""

import re
import statistics
from collections.abc import Sequence
from pathlib import Path

from vqnat.records.training_logs import curves

FEWEST = 20  # updates of the shortest training
_SHARE = re.compile(r"\{updates(?:/(\d+))?\}")


def fill_updates(words: Sequence[str], updates: int) -> list[str]:
    """Replace ``{updates}`` and ``{updates/10}`` in a command's words by numbers (at least 1), for schedules."""

    def number(found: re.Match) -> str:
        return str(max(1, updates // int(found[1] or 1)))

    return [_SHARE.sub(number, word) for word in words]


def full_updates(images: int, batch: int, epochs: int) -> int:
    """The number of updates of ``epochs`` epochs."""
    return epochs * -(-images // batch)


def seconds_per_update(log: Path) -> float:
    """The median over the second half of a short training's log, which has a line per update."""
    lines = curves(log)["train_inner"]
    speeds = [line["ups"] for line in lines[len(lines) // 2 :] if line.get("ups", 0) > 0]
    if not speeds:
        raise ValueError(f"{log}: no speed in it")
    return 1 / statistics.median(speeds)


def updates_within(minutes: float, seconds: float, most: int) -> int:
    """How many updates of ``seconds`` each fit into ``minutes``, between :data:`FEWEST` and ``most``."""
    return max(min(FEWEST, most), min(most, int(minutes * 60 / seconds)))
