"""What a model wrote, before an output layer reads it."""

from collections.abc import Sequence
from typing import NamedTuple


class Written(NamedTuple):
    """One sentence's own positions, no pads.

    Attributes:
        words: (L,) the best word at each output position.
        scores: (L,) their log-probabilities; zeros where none were wanted.
        codes: (T,) its codes; None without latents.
        code_score: log p(codes | source), the end included, in nats.
        following: (L,) the successor of each vertex (output layer ``dag`` only).
        links: (L,) the log-probability of going there.
    """

    words: Sequence[int]
    scores: Sequence[float]
    codes: Sequence[int] | None = None
    code_score: float = 0.0
    following: Sequence[int] = ()
    links: Sequence[float] = ()
