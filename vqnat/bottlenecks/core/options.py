"""Options: dataclass fields that carry their help text and their range.

A config is composed of groups of options (``SizeOptions``, ``StartOptions``, ...), each a dataclass without a base.
All groups end up side by side on the command line, so a name means the same wherever it appears.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from typing import NamedTuple, TypeVar

from vqnat.errors import UserError

T = TypeVar("T")


@dataclass(frozen=True)
class Valid:
    """The valid values of an option."""

    least: float | None = None
    most: float | None = None
    above: float | None = None
    below: float | None = None
    one_of: tuple[str, ...] = ()

    def __contains__(self, value: object) -> bool:
        if self.one_of:
            return value in self.one_of
        assert isinstance(value, int | float)
        return (
            (self.least is None or value >= self.least)
            and (self.most is None or value <= self.most)
            and (self.above is None or value > self.above)
            and (self.below is None or value < self.below)
        )

    def __str__(self) -> str:
        if self.one_of:
            return ", ".join(self.one_of)
        if self.above is not None:
            return f"more than {self.above:g}"
        if self.below is not None:
            return f"{self.least:g} <= value < {self.below:g}"
        return f"{self.least:g} or more" if self.most is None else f"{self.least:g} to {self.most:g}"


def option(
    default: T,
    help: str,
    *,
    least: float | None = None,
    most: float | None = None,
    above: float | None = None,
    below: float | None = None,
    one_of: Iterable[str] = (),
    tolerated: bool = False,
) -> T:
    """A field of a config.

    Args:
        default: its value if it is not given; where that is None, the bottleneck has its own (``own_defaults``).
        help: one line for ``--help``.
        least: the smallest valid value; or ``above``, which the value must exceed.
        most: the largest valid value; or ``below``, which the value must not reach.
        above: see ``least``.
        below: see ``most``.
        one_of: the valid words.
        tolerated: bottlenecks without this option ignore it instead of refusing it.
    """
    limited = one_of or any(limit is not None for limit in (least, most, above, below))
    valid = Valid(least, most, above, below, tuple(one_of)) if limited else None
    return field(default=default, metadata={"help": help, "valid": valid, "tolerated": tolerated})


class Rule(NamedTuple):
    """A condition that no range expresses: the option, whether its value is valid, the valid values in words."""

    name: str
    holds: bool
    valid: str


def check(config: object) -> None:
    """Refuse the first option of a config (a dataclass) that is out of its range or breaks one of ``config.rules()``.

    Raises:
        UserError: names the option, the value and the valid values.
    """
    for known in fields(config):  # type: ignore[arg-type]
        value, valid = getattr(config, known.name), known.metadata.get("valid")
        if value is not None and valid is not None and value not in valid:
            raise _impossible(config, known.name, valid)
    for name, holds, valid in config.rules() if hasattr(config, "rules") else ():
        if not holds:
            raise _impossible(config, name, valid)


def _impossible(config: object, name: str, valid: object) -> UserError:
    return UserError(f"--{name.replace('_', '-')} {getattr(config, name)} is not possible; valid: {valid}")


@dataclass
class SizeOptions:
    """The option of every bottleneck whose number of codes is free."""

    codebook_size: int = option(
        4096, "K, the number of codes: 2 to 65536; the paper uses 2^8 to 2^16", least=2, most=65536
    )


def commitment_option() -> float:
    """The option of every bottleneck that pulls the encoder's vectors toward their codes."""
    return option(0.25, "beta, weight of the commitment loss (mean over dimensions)", least=0)


def codebook_weight_option() -> float:
    """The option of every quantizer whose codes are trained by a loss."""
    help = "weight of the codebook loss (mean over dimensions); Huh et al. 2023: alpha beta"
    return option(1.0, help, least=0)
