"""Image tables from results as Markdown: our figures beside the paper's."""

from itertools import combinations
from typing import Any

from vqnat.image.tables.columns import COLUMNS
from vqnat.records.tables import markdown_table, number

Results = dict[str, Any]


def header_and_rows(table: dict[str, Any]) -> tuple[list[str], list[list[str]]]:
    """The cells of one table: for each figure the paper's, if it has one, and ours."""
    in_paper = [name for name in table["columns"] if any(name in row["paper"] for row in table["rows"])]
    header = ["method"]
    for name in table["columns"]:
        title = COLUMNS[name].title
        header += [f"{title}: paper", "ours"] if name in in_paper else [title]
    header.append("epochs")
    rows = []
    for row in table["rows"]:
        cells = [row["title"]]
        for name in table["columns"]:
            digits = COLUMNS[name].digits
            cells += [number(row["paper"].get(name), digits)] if name in in_paper else []
            cells.append(number(row["figures"].get(name), digits))
        rows.append([*cells, number(row["epochs"])])
    return header, rows


def order(table: dict[str, Any], name: str) -> str | None:
    """The paper's ranking by one figure and ours, and how many pairs agree; None with fewer than two methods."""
    both = [row for row in table["rows"] if name in row["paper"] and name in row["figures"]]
    if len(both) < 2:
        return None
    sign = -1 if COLUMNS[name].more_is_better else 1

    def ranked(kind: str) -> str:
        return ", ".join(row["title"] for row in sorted(both, key=lambda row: sign * row[kind][name]))

    pairs = list(combinations(both, 2))
    alike = sum((a["paper"][name] < b["paper"][name]) == (a["figures"][name] < b["figures"][name]) for a, b in pairs)
    return (
        f"By {COLUMNS[name].title}, best first. Paper: {ranked('paper')}. Ours: {ranked('figures')}. "
        f"{alike} of {len(pairs)} pairs stand alike."
    )


def conditions(results: Results, table: dict[str, Any]) -> str:
    """Data, budget and machine in one line."""
    counts = results["images"]
    budget = table.get("budget_minutes")
    small = [f"{w}{o}: {v}" for w, given in table.get("budget_options", {}).items() for o, v in given.items()]
    length = f"a budget of {budget:g} minutes a row, all rows as many updates" if budget else "full size"
    length += f", {', '.join(small)}" if small else ""
    machine = results["machine"]
    parts = [machine["cpu"], f"{machine['logical_cores']} cores", machine.get("accelerator")]
    return (
        f"{table['source']} Ours: {results['data_source']}; {counts['train']} training images and {counts['test']} of "
        f"test; {length} (full size: {table['epochs']} epochs), seed {results['seed']}. Measured on "
        f"{', '.join(part for part in parts if part)}, commit {str(results['commit'] or 'unknown')[:12]}, "
        f"{str(results['date'])[:10]}."
    )


def markdown_image_tables(results: Results) -> str:
    """All tables of a results file, for a README."""
    blocks = []
    for table in results["tables"].values():
        header, rows = header_and_rows(table)
        lines = markdown_table(header, rows)
        orders = [text for text in (order(table, name) for name in table["columns"]) if text]
        blocks.append("\n\n".join([f"**{table['title']}**", lines, *orders, conditions(results, table)]))
    return "\n\n".join(blocks)
