"""The exported graphs in onnxruntime, as functions of numpy arrays."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vqnat_serving.description import Description
from vqnat_serving.errors import UserError


@dataclass
class Source:
    """An encoded batch: what each graph reads of it, and which positions are real.

    Attributes:
        vectors: (B, S, D) for the decoder.
        memory: (layers, 2, B, H, S, D / H), keys and values for the predictor; None without latents.
        real: (B, S) True at real positions.
    """

    vectors: np.ndarray
    memory: np.ndarray | None
    real: np.ndarray

    def repeat(self, times: int) -> "Source":
        """Each sentence ``times`` times in a row."""
        if times == 1:
            return self
        memory = None if self.memory is None else self.memory.repeat(times, 2)
        return Source(self.vectors.repeat(times, 0), memory, self.real.repeat(times, 0))


class Models:
    """Encoder, predictor step and decoder of one precision.

    Args:
        folder: what scripts/export.py wrote.
        description: its description.
        precision: fp32 or int8.
        threads: of onnxruntime in one operation; 0 is one for each core.

    Raises:
        UserError: onnxruntime or a file is missing, or a file is not a model.
    """

    def __init__(self, folder: Path, description: Description, precision: str, threads: int):
        try:
            import onnxruntime
        except ImportError as error:
            raise UserError("onnxruntime is not installed: pip install 'vqnat[serving]'") from error
        if precision not in description.precisions:
            raise UserError(f"precision {precision!r}: not in {folder}; it has {', '.join(description.precisions)}")
        if threads < 0:
            raise UserError(f"threads {threads}: needed 0 (all cores) or more")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3  # errors
        self._sessions = {}
        for part in description.parts:
            path = folder / description.model_file(precision, part)
            if not path.is_file():
                raise UserError(f"{path}: no such file; export the checkpoint again")
            try:
                session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
            except Exception as error:  # onnxruntime has one class for each of its statuses
                raise UserError(f"{path}: not a readable ONNX model ({type(error).__name__})") from error
            self._sessions[part] = session
        self._layers, self._heads, self._head_dim = description.cache

    def encode(self, tokens: np.ndarray, real: np.ndarray) -> Source:
        """tokens (B, S) int64, real (B, S) True where they are no pads."""
        vectors, *memory = self._sessions["encoder"].run(None, {"tokens": tokens})
        return Source(vectors, memory[0] if memory else None, real)

    def new_cache(self, batch: int, length: int) -> np.ndarray:
        """Room for ``length`` positions: (length, layers, 2, B, H, D / H).

        Time is the first axis, so that what is filled is one block, which onnxruntime reads where it is.
        """
        return np.empty((length, self._layers, 2, batch, self._heads, self._head_dim), dtype=np.float32)

    def step(self, codes: np.ndarray, position: int, cache: np.ndarray, source: Source) -> np.ndarray:
        """Log-probabilities (B, K + 1) of the codes at ``position``.

        Args:
            codes: (B,) those at ``position - 1``; the start at 0.
            position: how many positions of ``cache`` are filled; the next is filled here.
            cache: from :meth:`new_cache`.
            source: the encoded batch.
        """
        inputs = {"codes": codes, "cache": cache[:position], "memory": source.memory, "source_real": source.real}
        log_probs, cache[position] = self._sessions["step"].run(None, inputs)
        return log_probs

    def decode(self, codes: np.ndarray, real: np.ndarray, source: Source) -> tuple[np.ndarray, ...]:
        """The best words (B, L), their log-probabilities, and more as the output layer's reader wants it.

        From codes (B, T), real (B, T).
        """
        inputs = {"codes": codes, "real": real, "vectors": source.vectors, "source_real": source.real}
        return tuple(self._sessions["decoder"].run(None, inputs))

    def decode_source(self, source: Source) -> tuple[np.ndarray, ...]:
        """As :meth:`decode`, without latents."""
        inputs = {"vectors": source.vectors, "source_real": source.real}
        return tuple(self._sessions["decoder"].run(None, inputs))
