"""One way to write a Markdown table."""

from collections.abc import Sequence

from tabulate import DataRow, TableFormat, tabulate

# tabulate's own Markdown formats pad every cell to the width of its column, so that one longer cell would change
# every line of the table in a README's history. This one pads nothing.
_ROW = DataRow("| ", " | ", " |")
_UNPADDED = TableFormat(
    lineabove=None,
    linebelowheader=lambda widths, _: "| --- |" + " --: |" * (len(widths) - 1),
    linebetweenrows=None,
    linebelow=None,
    headerrow=_ROW,
    datarow=_ROW,
    padding=0,
    with_header_hide=None,
)


def markdown_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table whose first column is aligned left and all others right; cells are taken as they are."""
    return tabulate(rows, header, tablefmt=_UNPADDED, disable_numparse=True, stralign=None, headersglobalalign=None)
