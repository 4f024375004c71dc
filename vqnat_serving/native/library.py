"""The compiled engine, called by ctypes. The structures are those of ``src/interface.h``."""

import ctypes
import importlib.util
from collections.abc import Mapping
from dataclasses import astuple, dataclass

import numpy as np

from vqnat_serving.native.layout import ModelSizes, weight_shapes

LEVELS = ("plain", "avx2", "avx512")  # builds for instruction sets, as the library numbers them


class _Weight(ctypes.Structure):
    _fields_ = [
        ("data", ctypes.c_void_p),
        ("scale", ctypes.c_void_p),
        ("rows", ctypes.c_int64),
        ("columns", ctypes.c_int64),
    ]


class _Batch(ctypes.Structure):
    _fields_ = [
        ("sentences", ctypes.c_int64),
        *((name, ctypes.c_void_p) for name in ("tokens", "source_lengths", "limits")),
        *((name, ctypes.c_int32) for name in ("fixed", "scored")),
        ("turns", ctypes.c_int64),
        *((name, ctypes.c_void_p) for name in ("codes", "code_lengths", "code_scores", "words", "word_scores")),
    ]


def find_library() -> ctypes.CDLL | None:
    """The compiled engine; None where it was not built (no C++ compiler when the package was installed)."""
    spec = importlib.util.find_spec("vqnat_serving.native._engine")
    if spec is None or spec.origin is None:
        return None
    try:
        library = ctypes.CDLL(spec.origin)
    except OSError:  # built for another system
        return None
    library.vqnat_load.restype = ctypes.c_void_p
    library.vqnat_load.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int]
    library.vqnat_free.argtypes = [ctypes.c_void_p]
    library.vqnat_free.restype = None
    library.vqnat_translate.argtypes = [ctypes.c_void_p, ctypes.c_void_p]
    return library


class Engine:
    """A model in the compiled engine. Several threads may call it at once; it runs outside Python's lock.

    Args:
        library: from :func:`find_library`.
        sizes: of the model.
        weights: as :func:`vqnat_serving.native.weights.read_weights` returns them; shapes are not checked here.
        level: the widest instructions to use, of :data:`LEVELS`; None: all that the processor has.

    Raises:
        MemoryError: memory is short.
    """

    def __init__(
        self, library: ctypes.CDLL, sizes: ModelSizes, weights: Mapping[str, np.ndarray], level: str | None = None
    ):
        self._library, self.sizes = library, sizes
        widest = library.vqnat_processor()
        self.level = LEVELS[min(widest, LEVELS.index(level))] if level else LEVELS[widest]
        kept: list[np.ndarray] = []  # until the engine has copied them
        names = list(weight_shapes(sizes))
        entries = (_Weight * len(names))()
        for entry, name in zip(entries, names, strict=True):
            if name not in weights:  # a bias that the map does not have
                continue
            values = np.ascontiguousarray(weights[name])
            kept.append(values)
            entry.data = values.ctypes.data
            entry.rows, entry.columns = values.shape if values.ndim == 2 else (1, values.size)
            if values.dtype == np.int8:
                kept.append(np.ascontiguousarray(weights[f"{name}.scale"]))
                entry.scale = kept[-1].ctypes.data
        stacks, rest = astuple(sizes)[:3], astuple(sizes)[3:]
        flat = np.array([*(value for stack in stacks for value in stack), *rest], np.int32)
        self._model = library.vqnat_load(flat.ctypes.data, ctypes.addressof(entries), LEVELS.index(self.level))
        if not self._model:
            raise MemoryError("the engine has no memory for the model")

    def __del__(self) -> None:
        if getattr(self, "_model", None):
            self._library.vqnat_free(self._model)

    def translate(
        self, sources: list[list[int]], limits: np.ndarray, fixed: bool, scored: bool, turns: int | None = None
    ) -> "Written":
        """Greedy codes, and the best word at each output position.

        Args:
            sources: tokens of each of B sentences, 1 or more, the end of sentence last.
            limits: (B,) the most codes of each; exactly that many when ``fixed``. Not read without latents.
            fixed: see there.
            scored: whether log-probabilities of words are wanted; if not, they are zeros.
            turns: the most steps of the search; None: the largest limit.

        Raises:
            MemoryError: memory is short.
        """
        sizes, count = self.sizes, len(sources)
        tokens = np.fromiter((token for source in sources for token in source), np.int64)
        lengths = np.array([len(source) for source in sources], np.int64)
        limits = np.ascontiguousarray(limits if sizes.latents else np.zeros(count), np.int64)
        most = int(limits.max(initial=0))
        codes, code_lengths = np.zeros((count, most), np.int64), np.zeros(count, np.int64)
        code_scores = np.zeros(count, np.float32)
        room = sum(sizes.positions(int(length)) for length in (limits if sizes.latents else lengths))
        words, word_scores = np.empty(room, np.int64), np.empty(room, np.float32)
        batch = _Batch(sentences=count, fixed=fixed, scored=scored, turns=turns or most)
        arrays: dict[str, np.ndarray] = {
            **{"tokens": tokens, "source_lengths": lengths, "limits": limits, "codes": codes},
            **{"code_lengths": code_lengths, "code_scores": code_scores, "words": words, "word_scores": word_scores},
        }
        for name, array in arrays.items():
            setattr(batch, name, array.ctypes.data)
        if self._library.vqnat_translate(self._model, ctypes.addressof(batch)):
            raise MemoryError(f"the engine has no memory for a batch of {len(tokens)} tokens")
        ends = np.cumsum([sizes.positions(int(length)) for length in (code_lengths if sizes.latents else lengths)])
        borders = [slice(start, end) for start, end in zip([0, *ends[:-1]], ends, strict=True)]
        return Written(
            [codes[row, :length] for row, length in enumerate(code_lengths)],
            code_scores,
            [words[part] for part in borders],
            [word_scores[part] for part in borders],
        )


@dataclass
class Written:
    """What the engine wrote for B sentences.

    Attributes:
        codes: of each sentence (T,); empty without latents.
        code_scores: (B,) log p(codes | source), the end included, in nats.
        words: of each sentence (L,), the best word at each output position.
        word_scores: of each sentence (L,), their log-probabilities; zeros where none were wanted.
    """

    codes: list[np.ndarray]
    code_scores: np.ndarray
    words: list[np.ndarray]
    word_scores: list[np.ndarray]
