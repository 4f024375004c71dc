"""Search over code sequences with numpy: the same as ``vqnat.decoding.latent_search``."""

from dataclasses import dataclass

import numpy as np

from vqnat_serving.models import Models, Source


@dataclass
class CodeSequences:
    """``beam`` sequences a sentence, best first.

    Attributes:
        codes: (B * beam, T) int64; 0 after the end.
        lengths: (B * beam,) how many codes each has, at least 1.
        scores: (B * beam,) log p(codes | source), the end included, in nats.
    """

    codes: np.ndarray
    lengths: np.ndarray
    scores: np.ndarray

    def real(self) -> np.ndarray:
        """(B * beam, T) True at codes of the sequence."""
        return np.arange(self.codes.shape[1]) < self.lengths[:, None]


def _forbid(log_probs: np.ndarray, position: int, limits: np.ndarray, fixed: bool) -> None:
    """Forbid the end before one code (or, with a fixed length, before the limit) and codes from the limit on."""
    at_limit = limits <= position
    if at_limit.any():
        log_probs[at_limit, :-1] = -np.inf
    if fixed or position == 0:
        log_probs[~at_limit, -1] = -np.inf


def greedy_codes(models: Models, source: Source, limits: np.ndarray, fixed: bool, end: int) -> CodeSequences:
    """The most probable code at each step.

    Args:
        models: the exported model.
        source: B encoded sentences.
        limits: (B,) the most codes a sentence may have; exactly that many when ``fixed``.
        fixed: the length is given (``--length-mode ratio``) and the end is not predicted.
        end: the class that ends the codes.
    """
    batch, longest = len(limits), int(limits.max())
    cache = models.new_cache(batch, longest)
    codes = np.zeros((batch, longest), dtype=np.int64)
    lengths = limits.copy()
    scores = np.zeros(batch, dtype=np.float32)
    open_ = np.ones(batch, dtype=bool)
    chosen = np.full(batch, end, dtype=np.int64)  # the start
    for position in range(longest):
        log_probs = models.step(chosen, position, cache, source)
        _forbid(log_probs, position, limits, fixed)
        chosen = log_probs.argmax(1)
        best = log_probs[np.arange(batch), chosen]
        ends = open_ & (chosen == end)
        # The end at the limit is forced and costs nothing.
        scores += np.where(open_ & ~(ends & (limits == position)), best, 0)
        lengths[ends] = position
        open_ &= ~ends
        if not open_.any():
            break
        chosen = np.where(open_, chosen, 0)
        codes[:, position] = chosen
    return CodeSequences(codes[:, : lengths.max()], lengths, scores)


def beam_codes(
    models: Models, source: Source, limits: np.ndarray, fixed: bool, end: int, beam: int, length_penalty: float
) -> CodeSequences:
    """The ``beam`` best code sequences by log p / (number of codes + 1)^length_penalty.

    An ended sequence keeps its place among the beam's candidates; the search stops when all have ended.
    Arguments as in :func:`greedy_codes`; ``source`` is repeated ``beam`` times.
    """
    batch, longest = len(limits), int(limits.max())
    size = batch * beam
    cache = models.new_cache(size, longest)
    limits = limits.repeat(beam)
    first_rows = np.arange(batch)[:, None] * beam  # (B, 1)
    codes = np.zeros((size, longest), dtype=np.int64)
    lengths = limits.copy()
    # Only the first sequence of each sentence is alive at the start, or all would be the same.
    scores = np.where(np.arange(size) % beam == 0, 0, -np.inf).astype(np.float32)
    ended = np.zeros(size, dtype=bool)
    last = np.full(size, end, dtype=np.int64)  # the start
    for position in range(longest + 1):
        if position < longest:
            log_probs = models.step(last, position, cache, source)
            _forbid(log_probs, position, limits, fixed)
        else:
            log_probs = np.full((size, end + 1), -np.inf, dtype=np.float32)
        # At its limit a sequence ends at no cost; an ended one goes on as itself, and as nothing else.
        closing = ended | (limits <= position)
        log_probs[closing] = -np.inf
        log_probs[closing, end] = 0
        total = scores[:, None] + log_probs  # (B * beam, K + 1)
        # The penalty compares candidates of different lengths.
        steps = np.where(ended, lengths + 1, position + 1).astype(np.float32) ** np.float32(length_penalty)
        ranked = (total / steps[:, None]).reshape(batch, -1)  # (B, beam * (K + 1))
        index = _largest(ranked, beam)  # (B, beam)
        rows = (first_rows + index // (end + 1)).reshape(-1)
        chosen = (index % (end + 1)).reshape(-1)
        scores = np.take_along_axis(total.reshape(batch, -1), index, 1).reshape(-1)
        codes, lengths, ended, limits = codes[rows], lengths[rows], ended[rows], limits[rows]
        ends = ~ended & (chosen == end)
        lengths[ends] = position
        ended |= ends
        if ended.all():
            break
        cache[: position + 1] = cache[: position + 1, :, :, rows]
        last = np.where(ended, 0, chosen)
        codes[:, position] = last
    # A dead place (score -inf) has no codes of its own: one code keeps the decoder's shapes legal.
    lengths = np.maximum(lengths, 1)
    return CodeSequences(codes[:, : lengths.max()], lengths, scores)


def _largest(values: np.ndarray, count: int) -> np.ndarray:
    """Columns (N, count) of the largest values of each row (N, M), from large to small; M >= count."""
    index = np.argpartition(-values, count - 1, 1)[:, :count]
    order = np.argsort(-np.take_along_axis(values, index, 1), 1, kind="stable")
    return np.take_along_axis(index, order, 1)
