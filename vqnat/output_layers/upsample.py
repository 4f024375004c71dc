"""How many positions there are, and what each is a copy of."""

from fractions import Fraction
from typing import TypeVar

import torch
from torch import Tensor

Lengths = TypeVar("Lengths", int, Tensor)


class Upsample:
    """Position j of the output is a copy of position floor(j / factor) of the input, so that n become ceil(factor n).

    Where a position comes from does not depend on how long the sentence is, so neither does it on the batch.

    Args:
        factor: 1 or more; taken as a fraction with a denominator of at most 100, to count without rounding.
    """

    def __init__(self, factor: float):
        self.factor = Fraction(factor).limit_denominator(100)

    def length(self, length: Lengths) -> Lengths:
        """ceil(factor * length), of an int or a tensor of them."""
        above, below = self.factor.numerator, self.factor.denominator
        return (length * above + below - 1) // below

    def index(self, length: int, device: torch.device) -> Tensor:
        """(ceil(factor * length),) the position that each is a copy of."""
        above, below = self.factor.numerator, self.factor.denominator
        return torch.arange(self.length(length), device=device) * below // above

    def __call__(self, x: Tensor) -> Tensor:
        """(B, n, ...) -> (B, ceil(factor n), ...)"""
        return x if self.factor == 1 else x[:, self.index(x.shape[1], x.device)]
