"""Tables on a terminal."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple


class Table(NamedTuple):
    """Cells below a header; the first column is aligned left, the others right."""

    header: Sequence[str]
    rows: Sequence[Sequence[str]]


def print_parts(parts: Iterable[str | Table]) -> None:
    """Print paragraphs and tables, fitted to the terminal, an empty line between them."""
    from rich import box
    from rich.console import Console
    from rich.table import Table as RichTable

    console = Console(highlight=False)
    for number, part in enumerate(parts):
        if number:
            console.print()
        if isinstance(part, str):
            console.print(part, markup=False, style="dim" if number else None)
            continue
        table = RichTable(box=box.SIMPLE_HEAD, pad_edge=False)
        for place, name in enumerate(part.header):
            table.add_column(name, justify="right" if place else "left")
        for row in part.rows:
            table.add_row(*row)
        console.print(table, markup=False)
