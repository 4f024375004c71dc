"""What the harness knows of a system that translates."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from torch import Tensor


@dataclass(frozen=True)
class Batch:
    """Sentences to translate together.

    Attributes:
        ids: their lines in the test set, from 0.
        sources: their source tokens, end of sentence included, no begin of sentence, no padding.
        length: target tokens that every system is made to write for each sentence, end of sentence not counted;
            None leaves it to the system.
    """

    ids: tuple[int, ...]
    sources: tuple[tuple[int, ...], ...]
    length: int | None = None

    def __len__(self) -> int:
        return len(self.ids)


class System(Protocol):
    """A trained model and how it decodes. It may be anything: fairseq, ONNX, CTranslate2.

    Attributes:
        name: unique in a run.
        specials: symbols in an output that are no words of it: begin and end of sentence, padding.
        description: what is written into the result: decoding settings, parameters and so on.
    """

    name: str
    specials: frozenset[int]
    description: Mapping[str, Any]

    def prepare(self, batch: Batch) -> Any:
        """Collation and anything else that is not translating. Not timed; called before each translate."""

    def translate(self, prepared: Any) -> Sequence[Tensor]:
        """Timed: tokens of the best hypothesis of each sentence, in host memory, in the batch's order."""

    def phases(self) -> Mapping[str, Sequence[tuple[object, str]]]:
        """Phase -> callables to be timed for it, as (owner, attribute); empty when they cannot be told apart.

        The attribute is replaced on the owner while phases are measured, so translate must look it up there.
        """
