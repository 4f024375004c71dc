"""The interface of a system that translates: all that the harness knows of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from torch import Tensor


@dataclass(frozen=True)
class Batch:
    """Sentences to translate together.

    Attributes:
        ids: their lines in the test set, from 0.
        sources: their source tokens with end of sentence, without begin of sentence and padding.
        length: number of target tokens, without end of sentence, that every system is forced to write for each
            sentence; None leaves it to the system.
    """

    ids: tuple[int, ...]
    sources: tuple[tuple[int, ...], ...]
    length: int | None = None

    def __len__(self) -> int:
        return len(self.ids)


class System(Protocol):
    """A trained model and its decoding settings, on any engine: fairseq, onnxruntime, CTranslate2.

    Attributes:
        name: unique in a run.
        specials: symbols to remove from outputs: begin and end of sentence, padding.
        description: entries of the result, for example decoding settings and number of parameters.
    """

    name: str
    specials: frozenset[int]
    description: Mapping[str, Any]

    def prepare(self, batch: Batch) -> Any:
        """Collate a batch, and anything else that is not translation. Untimed; called before each :meth:`translate`."""

    def translate(self, prepared: Any) -> Sequence[Tensor]:
        """Timed: the best hypothesis of each sentence as tokens in host memory, in the batch's order."""

    def phases(self) -> Mapping[str, Sequence[tuple[object, str]]]:
        """Phase -> the methods to time for it, as (owner, attribute); empty if the engine does not expose any.

        The attribute is replaced while phases are measured, so :meth:`translate` must look it up on its owner.
        """
