"""Searches over codes, one turn of each as a function of tensors alone.

:mod:`vqnat.export.search_loop` makes loops of them. The same searches as in :mod:`vqnat.decoding.latent_search`; one
specification, ``tests/serving/test_search_specification.py``, holds for both.
"""

import torch
from torch import Tensor, nn

from vqnat.models.latent_predictor import LatentPredictor
from vqnat.models.latent_transformer import LatentTransformer
from vqnat.models.native_weights import code_inputs
from vqnat.modules.key_value_cache import ConcatenatedCache


class Step(nn.Module):
    """One step of the latent predictor.

    The input projection depends on the code alone, so it is a table over codes; its last row, K, is the start.
    """

    def __init__(self, predictor: LatentPredictor, vectors: Tensor):
        super().__init__()
        self.register_buffer("inputs", code_inputs(predictor, vectors))  # (K + 1, D)
        self.positions = predictor.positions
        self.stack, self.output_proj = predictor.stack, predictor.output_proj

    def forward(
        self, codes: Tensor, position: Tensor, past: list[Tensor], memory: list[Tensor], source_real: Tensor
    ) -> tuple[Tensor, list[Tensor]]:
        """One more position of the predictor.

        Args:
            codes: (B,) the codes at ``position - 1``, or K for the start at position 0.
            position: () whose code is predicted.
            past: keys and values (B, H, position, D / H) of each layer.
            memory: keys and values (B, H, S, D / H) of the source, of each layer.
            source_real: (B, S) True at real source positions.

        Returns:
            log-probabilities (B, K + 1) of the code at ``position``, and ``past`` with its keys and values.
        """
        x = (self.inputs[codes] + self.positions.table[position]).unsqueeze(1)  # (B, 1, D)
        caches = [ConcatenatedCache(*layer) for layer in _pairs(past)]
        x = self.stack(x, None, _pairs(memory), source_real[:, None, None, :], causal=True, caches=caches)
        present = [part for cache in caches for part in (cache.keys, cache.values)]
        # With three axes it is exported as a MatMul like the others, which can be made int8.
        return self.output_proj(x)[:, 0].log_softmax(-1), present


def _pairs(parts: list[Tensor]) -> list[tuple[Tensor, Tensor]]:
    """Keys and values of each layer, from those of one layer after the other."""
    return list(zip(parts[::2], parts[1::2], strict=True))


class Predictor(nn.Module):
    """Log-probabilities of all codes after each beginning of a given sequence."""

    def __init__(self, model: LatentTransformer, vectors: Tensor):
        super().__init__()
        self.step = Step(model.predictor, vectors)

    def forward(self, codes: Tensor, memory: list[Tensor], source_real: Tensor) -> tuple[Tensor]:
        """The predictor as in training.

        Args:
            codes: (B, T + 1), K for the start first.
            memory: as in :class:`Step`.
            source_real: as there.

        Returns:
            log-probabilities (B, T + 1, K + 1); position t is of code t.
        """
        x = self.step.inputs[codes] + self.step.positions.table[: codes.shape[1]]  # (B, T + 1, D)
        x = self.step.stack(x, None, _pairs(memory), source_real[:, None, None, :], causal=True)
        return (self.step.output_proj(x).log_softmax(-1),)


class GreedyTurn(nn.Module):
    """The most probable code of each sentence."""

    def __init__(self, model: LatentTransformer, vectors: Tensor):
        super().__init__()
        self.step, self.end = Step(model.predictor, vectors), model.predictor.end
        self.register_buffer("vectors", vectors if model.config.decoder_reads == "expectation" else None)  # (K, D)

    def forward(
        self,
        position: Tensor,
        chosen: Tensor,
        open_: Tensor,
        lengths: Tensor,
        scores: Tensor,
        expected: list[Tensor],
        past: list[Tensor],
        memory: list[Tensor],
        source_real: Tensor,
        limits: Tensor,
        fixed: Tensor,
    ) -> tuple[Tensor, ...]:
        """One turn of the greedy search.

        Args:
            position: () how many codes there are.
            chosen: (B,) the code before, K at the start, 0 after the end.
            open_: (B,) True where the codes have not ended.
            lengths: (B,) how many codes each sentence has; its limit while it is open.
            scores: (B,) log-probability so far.
            expected: where the decoder reads expectations, (B, D) that of the code before; otherwise nothing.
            past: as in :class:`Step`.
            memory: as there.
            source_real: as there.
            limits: (B,) the most codes.
            fixed: () True: a sentence has as many codes as its limit, and does not predict the end.

        Returns:
            Whether any is open; chosen, open_, lengths, scores, expected and past for the next turn.
        """
        log_probs, past = self.step(chosen, position, past, memory, source_real)
        if self.vectors is not None:
            expected = [log_probs[:, : self.end].softmax(-1) @ self.vectors]
        best, code = log_probs[:, : self.end].max(-1)  # (B,)
        end = log_probs[:, self.end]
        at_limit = limits <= position
        ends = open_ & (at_limit | ((end > best) & ~fixed & (position > 0)))
        # The end at the limit is forced and costs nothing.
        scores = scores + torch.where(open_ & ~at_limit, torch.where(ends, end, best), 0.0)
        lengths = torch.where(ends, position, lengths)
        open_ = open_ & ~ends
        code = torch.where(open_, code, 0)
        return open_.any(), code, open_, lengths, scores, *expected, *past


class BeamTurn(nn.Module):
    """The ``beam`` best code sequences of each sentence by log p / (number of codes + 1)^length_penalty.

    An ended sequence keeps its place among the candidates.
    """

    def __init__(self, model: LatentTransformer, vectors: Tensor):
        super().__init__()
        self.step, self.end = Step(model.predictor, vectors), model.predictor.end

    def forward(
        self,
        position: Tensor,
        last: Tensor,
        ended: Tensor,
        lengths: Tensor,
        scores: Tensor,
        codes: Tensor,
        past: list[Tensor],
        memory: list[Tensor],
        source_real: Tensor,
        limits: Tensor,
        fixed: Tensor,
        length_penalty: Tensor,
    ) -> tuple[Tensor, ...]:
        """One turn of the beam search.

        Args:
            position: () how many codes there are.
            last: (B, beam) the codes before, K at the start, 0 after the end.
            ended: (B, beam) True where the codes have ended.
            lengths: (B, beam) how many codes.
            scores: (B, beam) log-probability so far; -inf where no sequence is alive.
            codes: (B, beam, position) so far.
            past: (B, beam, H, position, D / H) keys and values of each layer.
            memory: (B, beam, H, S, D / H) the source's.
            source_real: (B, beam, S).
            limits: (B, beam) the most codes.
            fixed: () True: a sentence has as many codes as its limit, and does not predict the end.
            length_penalty: () float.

        Returns:
            Whether any has not ended; last, ended, lengths, scores, codes and past for the next turn.
        """
        batch, beam = last.shape

        def rows(values: Tensor) -> Tensor:
            return values.flatten(0, 1)

        log_probs, past = self.step(rows(last), position, [*map(rows, past)], [*map(rows, memory)], rows(source_real))
        log_probs = log_probs.unflatten(0, (batch, beam))  # (B, beam, K + 1)
        at_limit = limits <= position
        early = ~at_limit & (fixed | (position == 0))
        # At its limit a sequence ends at no cost; an ended one goes on as itself, and as nothing else.
        closing = ended | at_limit
        end = torch.where(closing, 0.0, log_probs[..., self.end].masked_fill(early, -torch.inf))
        going = log_probs[..., : self.end].masked_fill(closing.unsqueeze(-1), -torch.inf)
        total = scores.unsqueeze(-1) + torch.cat([going, end.unsqueeze(-1)], -1)  # (B, beam, K + 1)
        # The penalty compares candidates of different lengths.
        steps = torch.where(ended, lengths, position).add(1).float() ** length_penalty
        index = (total / steps.unsqueeze(-1)).flatten(1).topk(beam).indices  # (B, beam)
        parent, chosen = index // (self.end + 1), index % (self.end + 1)
        scores = total.flatten(1).gather(1, index)
        lengths, ended = lengths.gather(1, parent), ended.gather(1, parent)
        ends = ~ended & (chosen == self.end)
        lengths, ended = torch.where(ends, position, lengths), ended | ends
        last = torch.where(ended, 0, chosen)
        row = rows(parent + (torch.arange(batch) * beam).unsqueeze(1))  # (B * beam,)

        def reordered(values: Tensor) -> Tensor:
            return values[row].unflatten(0, (batch, beam))

        codes = torch.cat([reordered(rows(codes)), last.unsqueeze(-1)], -1)
        return (~ended).any(), last, ended, lengths, scores, codes, *map(reordered, past)
