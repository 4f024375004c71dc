"""Noisy parallel decoding: an autoregressive teacher chooses among candidates (Gu et al. 2018)."""

from typing import Any

import torch
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
