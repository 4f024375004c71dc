"""One translation of a sentence."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Hypothesis:
    """A translation, as text and as the model's output.

    Attributes:
        text: plain text, pieces joined.
        tokens: indices in the target dictionary, without the end of sentence.
        score: log-probability over length to the power of the length penalty, in nats; the codes' included.
        codes: the latents it was decoded from; None for models without latents.
    """

    text: str
    tokens: tuple[int, ...]
    score: float
    codes: tuple[int, ...] | None = None
