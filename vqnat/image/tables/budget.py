"""How many updates a training makes: its epochs, or what fits into some minutes."""

import re
import statistics
from pathlib import Path

from vqnat.pipeline.logs import curves

TRIAL = 12  # updates that are timed
FEWEST = 20  # updates of the shortest training
_SHARE = re.compile(r"\{updates(?:/(\d+))?\}")


def fill_updates(options: dict, updates: int) -> dict:
    """Options with ``{updates}`` and ``{updates/10}`` as numbers, at least 1: schedules that fit the training."""

    def number(found: re.Match) -> str:
        return str(max(1, updates // int(found[1] or 1)))

    return {name: _SHARE.sub(number, value) if isinstance(value, str) else value for name, value in options.items()}


def full_updates(images: int, batch: int, epochs: int) -> int:
    """Updates of so many epochs."""
    return epochs * -(-images // batch)


def seconds_per_update(log: Path) -> float:
    """The median of the later updates in the log of a short training that wrote a line for each."""
    lines = curves(log)["train_inner"]
    speeds = [line["ups"] for line in lines[len(lines) // 2 :] if line.get("ups", 0) > 0]
    if not speeds:
        raise ValueError(f"{log}: no speed in it")
    return 1 / statistics.median(speeds)


def updates_within(minutes: float, seconds: float, most: int) -> int:
    """How many updates of ``seconds`` fit into ``minutes``, between a few and ``most``."""
    return max(min(FEWEST, most), min(most, int(minutes * 60 / seconds)))
