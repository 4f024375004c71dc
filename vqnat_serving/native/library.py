"""The compiled engine, called by ctypes. The structures are those of ``src/interface.h``."""

import ctypes
import importlib.util
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import astuple
from itertools import accumulate, chain, pairwise
from typing import Any

from vqnat_serving.native.layout import ModelSizes, two_dimensions, weight_shapes
from vqnat_serving.shortlist import Shortlist
from vqnat_serving.written import Written

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
        *((name, ctypes.c_void_p) for name in ("shortlist_starts", "shortlist")),
        ("shortlist_always", ctypes.c_int64),
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
        weights: as :func:`vqnat_serving.native.weights.read_weights` returns them, or arrays of numpy; shapes are not
            checked here.
        level: the widest instructions to use, of :data:`LEVELS`; None: all that the processor has.

    Raises:
        MemoryError: memory is short.
    """

    def __init__(
        self,
        library: ctypes.CDLL,
        sizes: ModelSizes,
        weights: Mapping[str, Any],
        level: str | None = None,
    ):
        self._library, self.sizes = library, sizes
        widest = library.vqnat_processor()
        self.level = LEVELS[min(widest, LEVELS.index(level))] if level else LEVELS[widest]
        names = list(weight_shapes(sizes))
        entries = (_Weight * len(names))()
        for entry, name in zip(entries, names, strict=True):
            if name not in weights:  # a bias that the map does not have
                continue
            values = memoryview(weights[name])
            entry.data = _address(values)
            entry.rows, entry.columns = two_dimensions(values)
            if values.format == "b":
                entry.scale = _address(memoryview(weights[f"{name}.scale"]))
        stacks, rest = astuple(sizes)[:3], astuple(sizes)[3:]
        flat = array("i", [*chain.from_iterable(stacks), *rest])
        # The weights are copied; until then `weights` keeps them.
        self._model = library.vqnat_load(flat.buffer_info()[0], ctypes.addressof(entries), LEVELS.index(self.level))
        if not self._model:
            raise MemoryError("the engine has no memory for the model")

    def __del__(self) -> None:
        if getattr(self, "_model", None):
            self._library.vqnat_free(self._model)

    def translate(
        self,
        sources: Sequence[list[int]],
        limits: Sequence[int],
        fixed: bool,
        scored: bool,
        turns: int | None = None,
        shortlist: Shortlist | None = None,
    ) -> list[Written]:
        """Greedy codes, and the best word at each output position.

        Args:
            sources: tokens of each of B sentences, 1 or more, the end of sentence last.
            limits: (B,) the most codes of each; exactly that many when ``fixed``. Not read without latents.
            fixed: see there.
            scored: whether log-probabilities of words are wanted; if not, they are zeros.
            turns: the most steps of the search; None: the largest limit.
            shortlist: which words a sentence may use, log-probabilities being among them; None: all.

        Raises:
            MemoryError: memory is short.
        """
        sizes, count = self.sizes, len(sources)
        tokens = array("q", chain.from_iterable(sources))
        lengths = array("q", map(len, sources))
        limits = array("q", limits if sizes.latents else [0] * count)
        most = max(limits, default=0)
        room = sum(map(sizes.positions, limits if sizes.latents else lengths))
        codes, code_lengths, words = (array("q", bytes(8 * size)) for size in (count * most, count, room))
        code_scores, scores = (array("f", bytes(4 * size)) for size in (count, room))
        batch = _Batch(sentences=count, fixed=fixed, scored=scored, turns=turns or most)
        arrays: dict[str, Any] = {
            **{"tokens": tokens, "source_lengths": lengths, "limits": limits, "codes": codes, "words": words},
            **{"code_lengths": code_lengths, "code_scores": code_scores, "word_scores": scores},
        }
        if shortlist is not None:
            batch.shortlist_always = shortlist.always
            arrays |= {"shortlist_starts": shortlist.starts, "shortlist": shortlist.words}
        for name, values in arrays.items():
            setattr(batch, name, values.buffer_info()[0])
        if self._library.vqnat_translate(self._model, ctypes.addressof(batch)):
            raise MemoryError(f"the engine has no memory for a batch of {len(tokens)} tokens")
        borders = accumulate(map(sizes.positions, code_lengths if sizes.latents else lengths), initial=0)
        written = [Written(words[start:end].tolist(), scores[start:end].tolist()) for start, end in pairwise(borders)]
        if not sizes.latents:
            return written
        chosen = [codes[row * most : row * most + length].tolist() for row, length in enumerate(code_lengths)]
        return [
            one._replace(codes=own, code_score=score)
            for one, own, score in zip(written, chosen, code_scores, strict=True)
        ]


def _address(values: memoryview) -> int:
    """Where writable values lie, row by row."""
    return ctypes.addressof(ctypes.c_char.from_buffer(values))
