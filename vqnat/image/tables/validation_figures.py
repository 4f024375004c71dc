"""Figures of a checkpoint as reported by fairseq-validate."""

import json
import re
from pathlib import Path

_LINE = re.compile(r"\| test \| (\{.*\})\s*$", re.MULTILINE)


def validate_options(task: str, batch: int, device: str) -> list[str]:
    """The options of fairseq-validate for the test set."""
    return [
        *("--task", task, "--valid-subset", "test", "--batch-size", str(batch)),
        # Only the final report: earlier lines hold the counts of all codes.
        *("--log-format", "json", "--log-interval", "1000000", *(["--cpu"] if device == "cpu" else [])),
    ]


def read_figures(log: Path) -> dict[str, float]:
    """The figures in the last report of a log, without those that are not finite numbers.

    Raises:
        ValueError: there is no report.
    """
    found = _LINE.findall(log.read_text(encoding="utf-8", errors="replace"))
    if not found:
        raise ValueError(f"{log}: no report of fairseq-validate in it")
    figures = {}
    for name, value in json.loads(found[-1]).items():
        try:
            number = float(value)
        except (TypeError, ValueError):
            continue
        if number == number and abs(number) != float("inf"):
            figures[name.removeprefix("test_")] = number
    return figures
