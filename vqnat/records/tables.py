"""Cells and tables: figures as people read them."""

from collections.abc import Mapping, Sequence
from typing import Any

from tabulate import DataRow, TableFormat, tabulate

_ROW = DataRow("| ", " | ", " |")


def _rule(widths: Sequence[int], _: Sequence[str]) -> str:
    return "| " + " | ".join(["---", *["--:"] * (len(widths) - 1)]) + " |"


_MARKDOWN = TableFormat(None, _rule, None, None, headerrow=_ROW, datarow=_ROW, padding=0, with_header_hide=None)


def number(value: float | None, digits: int = 1) -> str:
    """Fixed number of digits; a dash for what was not measured."""
    return "–" if value is None else f"{value:.{digits}f}"


def percent(share: float | None) -> str:
    """A share as ``86.0 %``; a dash for what was not measured."""
    return "–" if share is None else f"{100 * share:.1f} %"


def machine_name(machine: Any) -> str:
    """The ``machine`` of a result file in a few words."""
    if isinstance(machine, dict):
        parts = [machine["cpu"], f"{machine['logical_cores']} cores", machine.get("accelerator")]
        return ", ".join(part for part in parts if part)
    return str(machine or "an unknown machine")


def measured(rows: Sequence[Mapping[str, Any]]) -> str:
    """A sentence on where the rows come from: machines, commits and days of their ``measured`` entries."""
    places: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        about = row.get("measured") or {}
        places.setdefault(machine_name(about.get("machine")), []).append(about)
    parts = []
    for machine, found in places.items():
        commits = dict.fromkeys(str(about.get("commit") or "unknown")[:12] for about in found)
        days = sorted({str(about.get("date") or "unknown")[:10] for about in found})
        count = "" if len(places) == 1 else f"{len(found)} row{'s' * (len(found) > 1)}, "
        between = "" if len(days) == 1 else f"{days[0]} to "
        of = "commit" if len(commits) == 1 else "commits"
        parts.append(f"{machine} ({count}{of} {', '.join(commits)}, {between}{days[-1]})")
    return f"Measured on {' and '.join(parts)}."


def markdown_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table, first column aligned left, the others right; cells are not padded, for short diffs."""
    given = {"disable_numparse": True, "stralign": None}
    return tabulate(rows, headers=header, tablefmt=_MARKDOWN, **given)


def text_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table for the terminal, aligned likewise."""
    alignment = ("left", *["right"] * (len(header) - 1))
    return tabulate(rows, headers=header, disable_numparse=True, colalign=alignment)
