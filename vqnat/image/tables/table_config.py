"""The YAML file of a table; ``examples/cifar10/table.yaml`` comments on every key."""

from dataclasses import dataclass, field
from pathlib import Path

from vqnat.errors import UserError
from vqnat.image.tables.columns import COLUMNS
from vqnat.pipeline.config import NAME, ONE, ZERO
from vqnat.pipeline.program_options import check_options
from vqnat.pipeline.reader import build, invalid
from vqnat.records.yaml_files import read_yaml


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
    epochs: int = field(metadata=ONE)
    options: dict
    rows: list[Row]
    prior: dict = field(default_factory=dict)
    prior_epochs: int = field(default=1, metadata=ONE)
    budget_times: int = field(default=1, metadata=ONE)
    budget_options: dict = field(default_factory=dict)
    budget_prior: dict = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Config:
    """The whole file."""

    name: str
    prepare: list[str]
    tables: dict[str, Table]
    seed: int = field(default=1, metadata=ZERO)
    device: str = field(default="cpu", metadata={"choices": ("cpu", "cuda")})
    cores: int = field(default=1, metadata=ONE)


def load(path: Path) -> Config:
    """Read and check a file.

    Raises:
        UserError: it is missing or invalid; the message names the file.
    """
    try:
        config = build(Config, read_yaml(path))
        for key, table in config.tables.items():
            _check_table(f"tables.{key}", key, table)
    except UserError as error:
        raise UserError(f"{path}: {error}") from None
    return config


def _check_table(where: str, key: str, table: Table) -> None:
    if not NAME.fullmatch(str(key)):
        raise invalid(where, key, "lower-case letters, digits and _")
    for column in table.columns:
        if column not in COLUMNS:
            raise invalid(f"{where}.columns", column, f"one of {', '.join(COLUMNS)}")
    check_options(f"{where}.options", table.options)
    check_options(f"{where}.prior", table.prior)
    check_options(f"{where}.budget_options", table.budget_options)
    check_options(f"{where}.budget_prior", table.budget_prior)
    names = [row.name for row in table.rows]
    for number, row in enumerate(table.rows):
        here = f"{where}.rows[{number}]"
        if not NAME.fullmatch(row.name):
            raise invalid(f"{here}.name", row.name, "lower-case letters, digits and _")
        if names.count(row.name) > 1:
            raise UserError(f"{here}.name: {row.name!r} is there twice")
        check_options(f"{here}.options", row.options)
        check_options(f"{here}.budget_options", row.budget_options)
        for column in row.paper:
            if column not in COLUMNS:
                raise invalid(f"{here}.paper", column, f"one of {', '.join(COLUMNS)}")
