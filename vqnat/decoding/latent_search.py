"""Search over code sequences with the latent predictor: greedy and beam.

The runner's search (:mod:`vqnat.export.search_turns`) finds the same codes:
``tests/serving/test_search_specification.py`` is for both.
"""

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from vqnat.models.code_training import expected_vectors
from vqnat.models.latent_predictor import PredictorState
from vqnat.models.source_encoder import EncodedSource


class Predictor(Protocol):
    """What a search asks of :class:`vqnat.models.latent_predictor.LatentPredictor`."""

    @property
    def end(self) -> int:
        """K, the class that ends a sequence."""
        ...

    def begin(self, source: EncodedSource, beam: int, length: int) -> PredictorState:
        """State for ``beam`` sequences per sentence of at most ``length`` codes."""
        ...

    def step(self, vectors: Tensor | None, position: int, state: PredictorState) -> Tensor:
        """Logits (B * beam, K + 1) of the code at ``position``, from vectors (B * beam, D) of the codes before."""
        ...


class Codes(Protocol):
    """What a search asks of a bottleneck."""

    def embed(self, codes: Tensor) -> Tensor:
        """Codes (...) -> vectors (..., D)."""
        ...


class CodeModel(Protocol):
    """What a search asks of a latent transformer, in evaluation mode."""

    @property
    def predictor(self) -> Predictor: ...

    @property
    def bottleneck(self) -> Codes: ...


@dataclass
class CodeSequences:
    """``beam`` sequences per sentence, best first.

    Attributes:
        codes: (B * beam, T) int64; 0 after the end.
        lengths: (B * beam,) how many codes each has, at least 1.
        scores: (B * beam,) log p(codes | source), the end included, in nats.
        vectors: (B * beam, T, D) what the decoder reads instead of the codes' own; None: those.
    """

    codes: Tensor
    lengths: Tensor
    scores: Tensor
    vectors: Tensor | None = None

    def real(self) -> Tensor:
        """(B * beam, T) True at codes of the sequence."""
        return torch.arange(self.codes.shape[1], device=self.codes.device) < self.lengths.unsqueeze(1)


def _allowed(log_probs: Tensor, position: int, limits: Tensor, fixed: bool, end: int) -> Tensor:
    """Forbid the end before one code (or, with a fixed length, before the limit) and codes from the limit on."""
    at_limit = (limits <= position).unsqueeze(1)  # (N, 1)
    codes, stop = log_probs[:, :end], log_probs[:, end:]
    codes = codes.masked_fill(at_limit, -torch.inf)
    stop = stop.masked_fill(~at_limit, -torch.inf) if fixed or position == 0 else stop
    return torch.cat([codes, stop], 1)


def greedy_codes(
    model: CodeModel, source: EncodedSource, limits: Tensor, fixed: bool, table: Tensor | None = None
) -> CodeSequences:
    """Greedy search: the most probable code at each step.

    Args:
        model: its predictor and its code vectors.
        source: B encoded sentences.
        limits: (B,) the most codes a sentence may have; exactly that many when ``fixed``.
        fixed: the length is given (``--length-mode ratio``) and the end is not predicted.
        table: (K, D) the vectors of all codes, where the decoder reads their expectation at each step.
    """
    predictor, batch = model.predictor, len(limits)
    longest = int(limits.max())
    state = predictor.begin(source, 1, longest)
    codes = torch.zeros(batch, longest, dtype=torch.long, device=limits.device)
    lengths = limits.clone()
    scores = source.vectors.new_zeros(batch, dtype=torch.float32)
    open_ = torch.ones(batch, dtype=torch.bool, device=limits.device)
    vectors = None
    expected: list[Tensor] = []  # (B, D) each
    # The end after the longest sequence is forced and needs no step.
    for position in range(longest):
        logits = predictor.step(vectors, position, state)
        log_probs = logits.log_softmax(-1, dtype=torch.float32)
        if table is not None:
            expected.append(expected_vectors(logits[:, : predictor.end], table))
        best, chosen = _allowed(log_probs, position, limits, fixed, predictor.end).max(-1)  # (B,)
        ends = open_ & (chosen == predictor.end)
        scores += torch.where(open_ & ~(ends & (limits == position)), best, 0)
        lengths = torch.where(ends, position, lengths)
        open_ = open_ & ~ends
        if not bool(open_.any()):
            break
        codes[:, position] = torch.where(open_, chosen, 0)
        vectors = model.bottleneck.embed(codes[:, position]).to(source.vectors)
    most = int(lengths.max())
    return CodeSequences(codes[:, :most], lengths, scores, torch.stack(expected[:most], 1) if expected else None)


def beam_codes(
    model: CodeModel, source: EncodedSource, limits: Tensor, fixed: bool, beam: int, length_penalty: float
) -> CodeSequences:
    """Beam search: the ``beam`` best code sequences by log p / (number of codes + 1)^length_penalty.

    An ended sequence keeps its place among the beam's candidates; the search stops when all have ended.
    Arguments as in :func:`greedy_codes`.
    """
    predictor, batch, end = model.predictor, len(limits), model.predictor.end
    longest, device = int(limits.max()), limits.device
    state = predictor.begin(source, beam, longest)
    limits = limits.repeat_interleave(beam)  # (B * beam,)
    first_rows = torch.arange(batch, device=device).unsqueeze(1) * beam  # (B, 1)
    codes = torch.zeros(batch * beam, longest, dtype=torch.long, device=device)
    lengths = limits.clone()
    # Only the first sequence of each sentence is alive at the start, or all would be the same.
    scores = torch.full((batch, beam), -torch.inf, device=device)
    scores[:, 0] = 0
    scores = scores.view(-1)
    ended = torch.zeros(batch * beam, dtype=torch.bool, device=device)
    vectors = None
    for position in range(longest + 1):
        if position < longest:
            log_probs = predictor.step(vectors, position, state).log_softmax(-1, dtype=torch.float32)
            log_probs = _allowed(log_probs, position, limits, fixed, end)
        else:
            log_probs = torch.full((batch * beam, end + 1), -torch.inf, device=device)
        # At its limit a sequence ends at no cost; an ended one goes on as itself, and as nothing else.
        closing = ended | (limits <= position)
        log_probs = log_probs.masked_fill(closing.unsqueeze(1), -torch.inf)
        log_probs[:, end] = torch.where(closing, 0.0, log_probs[:, end])
        total = scores.unsqueeze(1) + log_probs  # (B * beam, K + 1)
        # The penalty compares candidates of different lengths.
        steps = torch.where(ended, lengths + 1, position + 1).to(total).pow(length_penalty)
        ranked = (total / steps.unsqueeze(1)).view(batch, -1)  # (B, beam * (K + 1))
        # Fewer candidates than places (tiny codebooks): the rest stay dead, at -inf.
        index = ranked.topk(min(beam, ranked.shape[1]), -1).indices  # (B, beam)
        rows = (first_rows + index.div(end + 1, rounding_mode="floor")).view(-1)
        chosen = (index % (end + 1)).view(-1)
        scores = total.view(batch, -1).gather(1, index).view(-1)
        codes, lengths, ended, limits = codes[rows], lengths[rows], ended[rows], limits[rows]
        ends = ~ended & (chosen == end)
        lengths = torch.where(ends, position, lengths)
        ended = ended | ends
        if position == longest or bool(ended.all()):  # at the longest limit only dead places have not ended
            break
        state.reorder(rows)
        codes[:, position] = torch.where(ended, 0, chosen)
        vectors = model.bottleneck.embed(codes[:, position]).to(source.vectors)
    # A place that no sequence took (score -inf) gets one code, so that the decoder's shapes stay valid.
    lengths = lengths.clamp(min=1)
    return CodeSequences(codes[:, : int(lengths.max())], lengths, scores)
