"""CUDA graphs of greedy decoding: what a sentence starts on the GPU, recorded once for each shape, then replayed.

Decoding one sentence starts hundreds of small kernels from Python, one after another. A replay starts all those of the
encoder, of one step of the predictor, or of the decoder with a single call. A recording holds for one shape and for the
addresses it was made with: sources are padded to a few shapes, and inputs are copied to places that stay.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

import torch
from torch import Tensor

from vqnat.errors import UserError
from vqnat.models.latent_predictor import PredictorState
from vqnat.models.source_encoder import EncodedSource

ROWS = (1, 2, 4, 8, 16)  # batches are filled up to one of these; larger ones keep the GPU busy without recordings
MULTIPLE, LONGEST = 8, 128  # lengths are rounded up to a multiple; longer sources are rare and run as before
WARM_UPS = 2  # torch wants to have run what it records: libraries set themselves up in the first call

Result = TypeVar("Result")


class Recorder(Protocol):
    """What records a function of no arguments."""

    def __call__(self, run: Callable[[], Result]) -> tuple[Callable[[], None], Result]:
        """How to do again what ``run`` does, and its result, which each replay writes anew at the same addresses."""
        ...


class CudaRecorder:
    """Records on one GPU. All recordings of one recorder share memory for what they do not return.

    A recording's result may lie where an earlier recording keeps what it does not return. So what several recordings
    read, the encoded source and the predictor's state, has to be recorded before what reads it.
    """

    def __init__(self, device: torch.device) -> None:
        self._device, self._pool = device, torch.cuda.graph_pool_handle()

    def __call__(self, run: Callable[[], Result]) -> tuple[Callable[[], None], Result]:
        """As :class:`Recorder`."""
        with torch.cuda.device(self._device):
            return self._recorded(run)

    def _recorded(self, run: Callable[[], Result]) -> tuple[Callable[[], None], Result]:
        present, side = torch.cuda.current_stream(), torch.cuda.Stream()
        side.wait_stream(present)
        with torch.cuda.stream(side):
            for _ in range(WARM_UPS):
                run()
        present.wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, pool=self._pool, capture_error_mode="thread_local"):
            result = run()
        return graph.replay, result


@dataclass
class RecordedSource(EncodedSource):
    """An encoded source that knows its recordings; the next source of that shape takes its place."""

    shape: "RecordedShape"


@dataclass
class RecordedState(PredictorState):
    """A predictor's state at addresses that stay, with the steps recorded on them by position."""

    shape: "RecordedShape"
    steps: dict[int, tuple[Callable[[], None], Tensor]] = field(default_factory=dict)


@dataclass(frozen=True)
class Parts:
    """What decoding runs of a latent transformer, unrecorded."""

    encode: Callable[[Tensor], EncodedSource]
    begin: Callable[[EncodedSource, int, int], PredictorState]
    step: Callable[[Tensor | None, int, PredictorState], Tensor]
    write: Callable[[Tensor, Tensor, EncodedSource], Tensor]


class RecordedShape:
    """The recordings for source batches of one shape.

    Args:
        parts: what is recorded.
        record: the recorder of this shape alone.
        tokens: (B, S) any source tokens of this shape; new ones are copied into it.
        pad: index of the padding symbol; any other index serves for rows that nobody reads.
    """

    def __init__(self, parts: Parts, record: Recorder, tokens: Tensor, pad: int):
        self._parts, self._record, self._tokens, self._pad = parts, record, tokens, pad
        self._encoding: tuple[Callable[[], None], EncodedSource] | None = None
        self._beginnings: dict[int, tuple[Callable[[], None], RecordedState]] = {}
        self._code: Tensor | None = None  # (B, D) what a step reads
        self._writings: dict[int, tuple[Callable[[], None], Tensor, Tensor, Tensor]] = {}
        self._rows = len(tokens)

    def encode(self, tokens: Tensor) -> RecordedSource:
        """Encode tokens (B', S') with B' <= B and S' < S."""
        self._rows, length = tokens.shape
        self._tokens[: self._rows] = self._pad
        self._tokens[self._rows :] = self._pad + 1
        self._tokens[: self._rows, :length] = tokens
        if self._encoding is None:
            self._encoding = self._record(lambda: self._parts.encode(self._tokens))
        replay, source = self._encoding
        replay()
        mask = None if source.mask is None else source.mask[: self._rows]
        return RecordedSource(source.vectors[: self._rows], mask, self)

    @property
    def _source(self) -> EncodedSource:
        assert self._encoding is not None
        return self._encoding[1]

    def begin(self, length: int) -> RecordedState:
        """As the predictor's ``begin`` for the encoded source."""
        length = _rounded(length)
        if length not in self._beginnings:
            replay, begun = self._record(lambda: self._parts.begin(self._source, 1, length))
            self._beginnings[length] = replay, RecordedState(begun.cache, begun.source, begun.source_mask, self)
        replay, state = self._beginnings[length]
        replay()
        return state

    def step(self, vectors: Tensor | None, position: int, state: RecordedState) -> Tensor:
        """As the predictor's ``step``; the next step writes over the logits."""
        if vectors is not None:
            if self._code is None:
                self._code = vectors.new_zeros(len(self._tokens), vectors.shape[1])
            self._code[: self._rows] = vectors
        if position not in state.steps:
            code = None if vectors is None else self._code
            state.steps[position] = self._record(lambda: self._parts.step(code, position, state))
        replay, logits = state.steps[position]
        replay()
        return logits[: self._rows]

    def write(self, vectors: Tensor, real: Tensor) -> Tensor:
        """As the decoder; the next text of as many codes writes over the features."""
        length = vectors.shape[1]
        if length not in self._writings:
            codes = vectors.new_zeros(len(self._tokens), *vectors.shape[1:])
            kept = torch.ones_like(codes[..., 0], dtype=torch.bool)
            self._writings[length] = *self._record(lambda: self._parts.write(codes, kept, self._source)), codes, kept
        replay, features, codes, kept = self._writings[length]
        codes[: self._rows], kept[: self._rows] = vectors, real
        replay()
        return features[: self._rows]


class RecordedDecoding:
    """Stands in for what decoding runs: small batches are replayed, others run as before.

    Args:
        parts: what is recorded.
        recorder: makes the recorder of one shape, on a device.
        pad: index of the padding symbol.
    """

    def __init__(self, parts: Parts, recorder: Callable[[torch.device], Recorder], pad: int):
        self._parts, self._recorder, self._pad = parts, recorder, pad
        self.shapes: dict[tuple[int, int], RecordedShape] = {}

    def encode(self, tokens: Tensor) -> EncodedSource:
        """As the encoder."""
        rows = next((rows for rows in ROWS if rows >= len(tokens)), None)
        length = _rounded(tokens.shape[1] + 1)  # one pad at least, so that there is always a mask
        if rows is None or length > LONGEST:
            return self._parts.encode(tokens)
        if (rows, length) not in self.shapes:
            room = tokens.new_empty(rows, length)
            self.shapes[rows, length] = RecordedShape(self._parts, self._recorder(tokens.device), room, self._pad)
        return self.shapes[rows, length].encode(tokens)

    def begin(self, source: EncodedSource, beam: int, length: int) -> PredictorState:
        """As the predictor's; the steps of a beam are not recorded, as it moves its state at each."""
        if beam == 1 and isinstance(source, RecordedSource):
            return source.shape.begin(length)
        return self._parts.begin(source, beam, length)

    def step(self, vectors: Tensor | None, position: int, state: PredictorState) -> Tensor:
        """As the predictor's."""
        if isinstance(state, RecordedState):
            return state.shape.step(vectors, position, state)
        return self._parts.step(vectors, position, state)

    def write(self, vectors: Tensor, real: Tensor, source: EncodedSource) -> Tensor:
        """As the decoder."""
        if isinstance(source, RecordedSource):
            return source.shape.write(vectors, real)
        return self._parts.write(vectors, real, source)


def _rounded(length: int) -> int:
    return -(-length // MULTIPLE) * MULTIPLE


def record_parts(model: Any, recorder: Callable[[torch.device], Recorder] = CudaRecorder) -> RecordedDecoding:
    """Replay recordings where decoding runs a latent transformer's encoder, predictor and decoder, in place.

    It then decodes one batch at a time. Dropout must be off: a recording would repeat its random numbers.

    Args:
        model: a :class:`LatentTransformer` in evaluation mode, on its device and in its precision.
        recorder: makes what records; only tests take another one.

    Raises:
        UserError: the model has no latents, or is not on a GPU.
    """
    embedding, predictor = model.encoder.embedding, getattr(model, "predictor", None)
    if predictor is None:
        raise UserError("--decode-cuda-graphs: only for a latent transformer; this model writes in one pass")
    if recorder is CudaRecorder and embedding.weight.device.type != "cuda":
        raise UserError(f"--decode-cuda-graphs: needs a GPU; the model is on {embedding.weight.device}")
    parts = Parts(model.encoder.forward, predictor.begin, predictor.step, model.decoder.forward)
    recorded = RecordedDecoding(parts, recorder, embedding.padding_idx)
    model.encoder.forward, model.decoder.forward = recorded.encode, recorded.write
    predictor.begin, predictor.step = recorded.begin, recorded.step
    return recorded
