"""The one rule for how many codes a text has; the runner and torch follow it alike."""

from typing import Any, TypeVar, cast

Counts = TypeVar("Counts")


def codes_for(positions: Counts, stride: int) -> Counts:
    """Codes that cover so many target positions, end of sentence included.

    Args:
        positions: an int, or integers of a NumPy array or a torch tensor of any shape.
        stride: 2^nc, positions for a code.

    Returns:
        The quotient, rounded up, of the type and shape of ``positions``.
    """
    counts = cast(Any, positions)
    return cast(Counts, -(-counts // stride))
