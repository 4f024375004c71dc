"""Cells and tables: figures as people read them."""

from collections.abc import Sequence
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


def markdown_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table, first column aligned left, the others right; cells are not padded, for short diffs."""
    given = {"disable_numparse": True, "stralign": None}
    return tabulate(rows, headers=header, tablefmt=_MARKDOWN, **given)


def text_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table for the terminal, aligned likewise."""
    alignment = ("left", *["right"] * (len(header) - 1))
    return tabulate(rows, headers=header, disable_numparse=True, colalign=alignment)
