"""Noisy parallel decoding: an autoregressive teacher chooses among candidates (Gu et al. 2018)."""

from collections.abc import Sequence
from typing import Any

import torch
from fairseq.data import Dictionary
from torch import Tensor

HELPER = "helper"  # as --rescore-with: the model's own autoregressive helper instead of a teacher's checkpoint


def teacher_scores(
    teacher: Any, source_tokens: Tensor, source_lengths: Tensor, candidates: list[Tensor], pad: int, eos: int
) -> list[Tensor]:
    """log p(y | x) under an autoregressive model, in one teacher-forced pass.

    Args:
        teacher: a fairseq encoder-decoder model in evaluation mode.
        source_tokens: (B, S).
        source_lengths: (B,) in tokens.
        candidates: B * n token sequences ending in ``eos``, those of one sentence next to each other.
        pad: index of the padding symbol in the target dictionary.
        eos: index of the end of sentence there.

    Returns:
        One (length,) float32 tensor for each candidate: log-probabilities of its tokens, in nats.
    """
    each = len(candidates) // len(source_tokens)
    longest = max(len(c) for c in candidates)
    target = source_tokens.new_full((len(candidates), longest), pad)
    for row, candidate in enumerate(candidates):
        target[row, : len(candidate)] = candidate
    # Teacher forcing: the input is the target shifted right, with eos first, as fairseq trains it.
    previous = torch.cat([target.new_full((len(target), 1), eos), target[:, :-1]], 1)
    previous = previous.masked_fill((previous == eos) & (torch.arange(longest, device=target.device) > 0), pad)
    encoded = teacher.encoder(source_tokens, src_lengths=source_lengths)
    rows = torch.arange(len(source_tokens), device=target.device).repeat_interleave(each)
    encoded = teacher.encoder.reorder_encoder_out(encoded, rows)
    logits, _ = teacher.decoder(previous, encoder_out=encoded)
    log_probs = logits.log_softmax(-1, dtype=torch.float32).gather(-1, target.unsqueeze(-1)).squeeze(-1)
    return [log_probs[row, : len(candidate)] for row, candidate in enumerate(candidates)]


def rerank(
    teacher: Any, found: list[list[dict[str, Any]]], source: Sequence[Tensor], beam: int, dictionary: Dictionary
) -> list[list[dict[str, Any]]]:
    """Score the candidates of fairseq's non-autoregressive models as their generator expects it.

    Their sources and targets begin with a symbol that no teacher has been trained with; it is left out here.

    Args:
        teacher: as for :func:`teacher_scores`.
        found: B * ``beam`` lists of one hypothesis.
        source: tokens (B, S) and lengths (B,).
        beam: candidates of each sentence.
        dictionary: of both sides, or with the same special symbols as the source's.

    Returns:
        ``found``, each ``score`` now the teacher's mean log-probability of a token, in nats.
    """
    pad, eos = dictionary.pad(), dictionary.eos()
    tokens, lengths = source
    tokens = tokens.masked_fill(tokens == dictionary.bos(), pad)  # positions are counted without pads
    candidates = [hypotheses[0]["tokens"][1:] for hypotheses in found]
    for hypotheses, scores in zip(
        found, teacher_scores(teacher, tokens, lengths - 1, candidates, pad, eos), strict=True
    ):
        hypotheses[0]["score"] = scores.mean()
    return found
