"""Tables on a terminal."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

WIDEST = 32  # characters of a column; longer text is broken at spaces


class Table(NamedTuple):
    """Cells below a header; the first column is aligned left, the others right."""

    header: Sequence[str]
    rows: Sequence[Sequence[str]]

    def split(self, width: int) -> Iterator["Table"]:
        """Tables of at most ``width`` characters, each with the first column, as figures must not be cut off."""
        columns = [[name, *(row[place] for row in self.rows)] for place, name in enumerate(self.header)]
        widths = [3 + min(WIDEST, max(map(len, column))) for column in columns]  # with the space between columns
        first, *rest = range(len(columns))
        while rest:
            kept, used = [first], widths[first]
            while rest and (len(kept) == 1 or used + widths[rest[0]] <= width):
                used += widths[rest[0]]
                kept.append(rest.pop(0))
            yield Table([self.header[place] for place in kept], [[row[place] for place in kept] for row in self.rows])


def print_parts(parts: Iterable[str | Table]) -> None:
    """Print paragraphs and tables, fitted to the terminal, an empty line between them."""
    from rich import box
    from rich.console import Console
    from rich.table import Table as RichTable

    console = Console(highlight=False)
    for number, part in enumerate(parts):
        if isinstance(part, str):
            console.print(*([""] if number else []), part, sep="\n", markup=False, style="dim" if number else None)
            continue
        for piece in part.split(console.width):
            table = RichTable(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1))
            for place, name in enumerate(piece.header):
                table.add_column(name, justify="right" if place else "left", max_width=WIDEST)
            for row in piece.rows:
                table.add_row(*row)
            console.print(table, markup=False)
