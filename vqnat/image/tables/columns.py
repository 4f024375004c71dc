"""The figures that a table may show: their names in fairseq-validate, titles, and which direction is better."""

from typing import NamedTuple


class Column(NamedTuple):
    """A figure: its heading, number of digits, and whether more is better."""

    title: str
    digits: int
    more_is_better: bool


COLUMNS = {
    "bpd": Column("bits/dim", 2, False),
    "bpd_soft": Column("bits/dim, soft (no code length)", 2, False),
    "pixel_bits": Column("pixels' share", 2, False),
    "mse_e3": Column("MSE × 10⁻³", 2, False),
    "ppl_soft": Column("perplexity, soft", 1, True),
    "ppl_hard": Column("perplexity, hard", 1, True),
    "code_use": Column("codes in use", 3, True),
}
