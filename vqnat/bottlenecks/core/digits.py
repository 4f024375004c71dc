"""One integer code made of n smaller ones, as digits of a number; the first digit is the least significant."""

from collections.abc import Sequence

import torch
from torch import Tensor

from vqnat.errors import UserError


def base_of(size: int, count: int, option: str) -> int:
    """The n-th root of K: how many values each of n digits has.

    Args:
        size: K.
        count: n.
        option: the option that n comes from, for the error.

    Raises:
        UserError: no whole number of 2 or more has K as its n-th power.
    """
    base: int = round(size ** (1 / count))
    if base < 2 or base**count != size:
        raise UserError(
            f"--{option} {count} is not possible with --codebook-size {size}; "
            f"valid: n for which --codebook-size is the n-th power of a whole number, 2 or more"
        )
    return base


def combine(digits: Sequence[Tensor], base: int) -> Tensor:
    """n digits (...) in [0, base) as one code (...) in [0, base^n)."""
    places = base ** torch.arange(len(digits), device=digits[0].device)
    return (torch.stack(list(digits), -1) * places).sum(-1)


def split(codes: Tensor, base: int, count: int) -> list[Tensor]:
    """Codes (...) as ``count`` digits (...), the inverse of :func:`combine`."""
    return [codes // base**i % base for i in range(count)]
