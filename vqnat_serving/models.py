"""The exported graphs in onnxruntime, as functions of numpy arrays."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from vqnat_serving.description import EXPECTED, PREDICTOR, Description
from vqnat_serving.errors import UserError
from vqnat_serving.export_place import ExportPlace
from vqnat_serving.onnx_wire import names_other_files

# On a CPU slower than the additions and the LayerNorm that it replaces.
NOT_FUSED = ["SkipLayerNormFusion"]


@dataclass
class Source:
    """An encoded batch: what each graph reads of it, and which positions are real.

    Attributes:
        vectors: (B, S, D) for the decoder.
        memory: keys and values (B, H, S, D / H) of each layer of the predictor; none without latents.
        real: (B, S) True at real positions.
    """

    vectors: np.ndarray
    memory: list[np.ndarray]
    real: np.ndarray

    def repeat(self, times: int) -> "Source":
        """Each sentence ``times`` times in a row."""
        if times == 1:
            return self
        return Source(
            self.vectors.repeat(times, 0), [one.repeat(times, 0) for one in self.memory], self.real.repeat(times, 0)
        )


@dataclass
class CodeSequences:
    """``beam`` sequences per sentence, best first.

    Attributes:
        codes: (B * beam, T) int64; 0 after the end.
        lengths: (B * beam,) how many codes each has, at least 1.
        scores: (B * beam,) log p(codes | source), the end included, in nats.
        vectors: (B * beam, T, D) what the decoder reads instead of the codes' own; None: those.
    """

    codes: np.ndarray
    lengths: np.ndarray
    scores: np.ndarray
    vectors: np.ndarray | None = None

    def real(self) -> np.ndarray:
        """(B * beam, T) True at codes of the sequence."""
        return np.arange(self.codes.shape[1]) < self.lengths[:, None]


class Models:
    """The graphs of one precision; each is loaded when it is first used.

    Args:
        place: where the files are.
        description: what the export says of itself.
        precision: fp32 or int8.
        threads: of onnxruntime in one operation; 0 is one for each core.

    Attributes:
        scores_codes: whether :meth:`predict` can be called.

    Raises:
        UserError: onnxruntime or a file is missing, or a file is not a model.
    """

    def __init__(self, place: ExportPlace, description: Description, precision: str, threads: int):
        try:
            import onnxruntime
        except ImportError as error:
            raise UserError("onnxruntime is not installed: pip install 'vqnat[serving]'") from error
        if precision not in description.precisions:
            raise UserError(
                f"precision {precision!r}: not in {place.graphs}; it has {', '.join(description.precisions)}"
            )
        self._onnxruntime = onnxruntime
        self._options = onnxruntime.SessionOptions()
        self._options.intra_op_num_threads = threads
        self._options.log_severity_level = 3  # errors
        self._files = {part: place.graph(precision, part) for part in description.parts}
        for path in self._files.values():
            if not path.is_file():
                raise UserError(f"{path}: no such file; export the checkpoint again")
        self.scores_codes = description.latents and place.has_graph(precision, PREDICTOR)
        if self.scores_codes:
            self._files[PREDICTOR] = place.graph(precision, PREDICTOR)
        self._sessions: dict[str, Any] = {}
        self._parts = description.parts
        layers, heads, size = description.cache
        self._past = [f"{what}{layer}" for layer in range(layers) for what in ("keys", "values")]
        self._head = (heads, size)
        self._start = description.end
        self._expectation = description.expectation

    def load(self) -> None:
        """Load what a greedy translation needs, so that a fault is found now. Raises UserError."""
        for part in self._parts:
            if part != "beam":
                self._load(part)

    def _load(self, part: str) -> Any:
        """The onnxruntime session of a part."""
        if part not in self._sessions:
            arguments = {"providers": ["CPUExecutionProvider"], "disabled_optimizers": NOT_FUSED}
            path = self._files[part]
            try:
                other = names_other_files(path)
            except (ValueError, OSError) as error:
                raise UserError(f"{path}: not a readable ONNX model ({error})") from error
            if other:
                raise UserError(f"{path}: refused: its tensors lie in other files; an export holds its own")
            try:
                self._sessions[part] = self._onnxruntime.InferenceSession(str(path), self._options, **arguments)
            except Exception as error:  # onnxruntime has one class for each of its statuses
                raise UserError(f"{path}: not a readable ONNX model ({type(error).__name__})") from error
        return self._sessions[part]

    def encode(self, tokens: np.ndarray, real: np.ndarray) -> Source:
        """tokens (B, S) int64, real (B, S) True where they are no pads."""
        vectors, *memory = self._run("encoder", None, {"tokens": tokens})
        return Source(vectors, memory, real)

    def greedy(self, source: Source, limits: np.ndarray, fixed: bool, turns: int | None = None) -> CodeSequences:
        """The most probable code at each step.

        Args:
            source: B encoded sentences.
            limits: (B,) the most codes a sentence may have; exactly that many when ``fixed``.
            fixed: the length is given (``--length-mode ratio``) and the end is not predicted.
            turns: the most steps of the predictor; None: one for each code.
        """
        batch = len(limits)
        inputs = {
            "chosen": np.full(batch, self._start),
            "open": np.ones(batch, dtype=bool),
            "lengths": limits,
            "scores": np.zeros(batch, dtype=np.float32),
            **self._no_past(batch),
        }
        if self._expectation:
            inputs["expected"] = source.vectors[:, 0]  # any vectors of this shape: a turn writes them and reads none
        inputs = {f"{name}.first": value for name, value in inputs.items()}
        inputs |= {"turns": np.array(turns or limits.max()), "limits": limits, **self._read(source, fixed)}
        wanted = ["codes", "lengths.last", "scores.last", *EXPECTED[: self._expectation]]
        codes, lengths, scores, *vectors = self._run("greedy", wanted, inputs)
        read = vectors[0].swapaxes(0, 1)[:, : lengths.max()] if vectors else None
        return CodeSequences(np.ascontiguousarray(codes.T[:, : lengths.max()]), lengths, scores, read)

    def beam(self, source: Source, limits: np.ndarray, fixed: bool, beam: int, length_penalty: float) -> CodeSequences:
        """The ``beam`` best code sequences by log p / (number of codes + 1)^length_penalty.

        Arguments as in :meth:`greedy`; ``source`` is repeated ``beam`` times.
        """
        batch = len(limits)
        shape = (batch, beam)
        limits = limits.repeat(beam).reshape(shape)
        # Only the first sequence of each sentence is alive at the start, or all would be the same.
        scores = np.full(shape, -np.inf, dtype=np.float32)
        scores[:, 0] = 0
        inputs = {
            "chosen": np.full(shape, self._start),
            "ended": np.zeros(shape, dtype=bool),
            "lengths": limits,
            "scores": scores,
            "codes": np.zeros((*shape, 0), dtype=np.int64),
            **self._no_past(*shape),
        }
        inputs = {f"{name}.first": value for name, value in inputs.items()}
        read = self._read(source, fixed)
        for name, value in read.items():
            if value.ndim:
                read[name] = value.reshape(*shape, *value.shape[1:])
        # Once more than codes: sequences at their limit are ranked among the ended ones.
        inputs |= {"turns": np.array(limits.max() + 1), "limits": limits, **read}
        inputs["length_penalty"] = np.array(length_penalty, dtype=np.float32)
        wanted = ["codes.last", "lengths.last", "scores.last"]
        codes, lengths, scores = self._run("beam", wanted, inputs)
        # A place that no sequence took (score -inf) gets one code, so that the decoder's shapes stay valid.
        lengths = np.maximum(lengths.reshape(-1), 1)
        codes = np.ascontiguousarray(codes.reshape(batch * beam, -1)[:, : lengths.max()])
        return CodeSequences(codes, lengths, scores.reshape(-1))

    def predict(self, codes: np.ndarray, source: Source) -> np.ndarray:
        """Log-probabilities (B, T + 1, K + 1) of each code, and of the end, after each beginning of codes (B, T).

        Only where :attr:`scores_codes`; earlier exports lack the graph.
        """
        start = np.full((len(codes), 1), self._start)
        memory = {f"memory_{part}": value for part, value in zip(self._past, source.memory, strict=True)}
        inputs = {"codes": np.concatenate([start, codes], 1), **memory, "source_real": source.real}
        return self._run(PREDICTOR, None, inputs)[0]

    def _no_past(self, *shape: int) -> dict[str, np.ndarray]:
        heads, size = self._head
        nothing = np.empty((*shape, heads, 0, size), dtype=np.float32)
        return {f"past_{part}": nothing for part in self._past}

    def _read(self, source: Source, fixed: bool) -> dict[str, np.ndarray]:
        memory = {f"memory_{part}": value for part, value in zip(self._past, source.memory, strict=True)}
        return {**memory, "source_real": source.real, "fixed": np.array(fixed)}

    def decode(self, found: CodeSequences, source: Source, scored: bool = True) -> tuple[np.ndarray, ...]:
        """The best words (B, L), their log-probabilities, and more as the output layer's reader wants it.

        Without ``scored`` log-probabilities are zeros, and take no time.
        """
        inputs = {"codes": found.codes, "real": found.real(), "vectors": source.vectors, "source_real": source.real}
        if self._expectation:
            read = found.vectors
            if read is None:
                read = np.zeros((*found.codes.shape, source.vectors.shape[-1]), np.float32)
            inputs |= dict(zip(EXPECTED, (read, np.array(found.vectors is not None)), strict=True))
        return self._decode(inputs, scored)

    def decode_source(self, source: Source, scored: bool = True) -> tuple[np.ndarray, ...]:
        """As :meth:`decode`, without latents."""
        return self._decode({"vectors": source.vectors, "source_real": source.real}, scored)

    def _decode(self, inputs: dict[str, np.ndarray], scored: bool) -> tuple[np.ndarray, ...]:
        return tuple(self._run("decoder", None, {**inputs, "scored": np.array(scored)}))

    def _run(self, part: str, wanted: list[str] | None, inputs: dict[str, np.ndarray]) -> list[np.ndarray]:
        """The outputs of a graph. Raises UserError where it is another graph than the export's."""
        session = self._load(part)
        try:
            found: list[np.ndarray] = session.run(wanted, inputs)
        except Exception as error:  # onnxruntime has one class for each of its statuses
            reason = " ".join(str(error).split())[:200]
            raise UserError(f"{self._files[part]}: does not run; export the model again ({reason})") from error
        return found
