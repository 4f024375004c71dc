"""The YAML file of a table; ``examples/cifar10/config.yaml`` comments on every key."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from vqnat.errors import UserError
from vqnat.experiments.program_options import check_options
from vqnat.experiments.schema import check, load_checked


@dataclass(frozen=True, kw_only=True)
class Row:
    """One row of a table; ``options`` are those of fairseq-train, ``paper`` its published figures.

    ``budget_options`` override ``options`` in a run with a budget.
    """

    name: str
    title: str
    paper: dict = field(default_factory=dict)
    options: dict = field(default_factory=dict)
    budget_options: dict = field(default_factory=dict)
    prior: bool = True


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table of a paper: its rows, and what they have in common.

    ``prior`` holds the options of the model that learns the codes, empty if there is none. ``budget_options`` and
    ``budget_prior`` override ``options`` and ``prior`` in a run with a budget, with sizes for a CPU; a row of this
    table is given ``budget_times`` budgets.
    """

    title: str
    source: str
    columns: list[str]
    epochs: int
    options: dict
    rows: list[Row]
    prior: dict = field(default_factory=dict)
    prior_epochs: int = 1
    budget_times: int = 1
    budget_options: dict = field(default_factory=dict)
    budget_prior: dict = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Config:
    """The whole file."""

    name: str
    prepare: list[str]
    tables: dict[str, Table]
    seed: int = 1
    device: str = "cpu"
    cores: int = 1
    budget: float | None = None  # minutes of training for the first row of a table
    folder: str = ""  # with the raw data
    chosen: dict[str, list[Row]] = field(default_factory=dict)  # table -> the rows of this run


def load(path: Path, overrides: Mapping[str, Any] | None = None) -> Config:
    """Read and check a file.

    Args:
        path: the YAML file.
        overrides: values of its keys that count instead: ``seed``, ``budget``, ``rows`` and so on.

    Raises:
        UserError: it is missing or invalid; the message names the file.
    """
    return load_checked(path, overrides, configure)


def configure(content: Any) -> Config:
    """The parsed YAML as a checked configuration. Raises UserError."""
    check(content, "image_tables")
    rest = {key: value for key, value in content.items() if key not in ("tables", "rows", "from")}
    tables = {
        key: Table(**table | {"rows": [Row(**row) for row in table["rows"]]})
        for key, table in content["tables"].items()
    }
    for key, table in tables.items():
        _check_table(f"tables.{key}", table)
    wanted = content.get("rows")
    known = [row.name for table in tables.values() for row in table.rows]
    for name in wanted or ():
        if name not in known:
            raise UserError(f"rows: {name}: no such row; must be one of {', '.join(known)}")
    chosen = {key: [row for row in t.rows if wanted is None or row.name in wanted] for key, t in tables.items()}
    config = Config(**rest, tables=tables, folder=content.get("from", ""))
    return replace(config, chosen={key: rows for key, rows in chosen.items() if rows})


def _check_table(where: str, table: Table) -> None:
    for key in ("options", "prior", "budget_options", "budget_prior"):
        check_options(f"{where}.{key}", getattr(table, key))
    names = [row.name for row in table.rows]
    for number, row in enumerate(table.rows):
        here = f"{where}.rows[{number}]"
        if names.count(row.name) > 1:
            raise UserError(f"{here}.name: {row.name!r} is there twice")
        check_options(f"{here}.options", row.options)
        check_options(f"{here}.budget_options", row.budget_options)
