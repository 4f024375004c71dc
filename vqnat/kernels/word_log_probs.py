"""Log-probabilities of a few words at each position, without a log-softmax of the vocabulary in memory."""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from vqnat.kernels.chunks import row_chunks


def word_log_probs_reference(logits: Tensor, words: Tensor) -> tuple[Tensor, Tensor]:
    """As :func:`word_log_probs` with the mean, by autograd of ``log_softmax``."""
    log_probs = logits.float().log_softmax(-1)
    return log_probs.gather(-1, words), log_probs.mean(-1)


def word_log_probs(logits: Tensor, words: Tensor, with_mean: bool = False) -> tuple[Tensor, Tensor]:
    """log p of the given words at each position, with a gradient.

    Args:
        logits: (N, V), of any precision.
        words: (N, C) int64; a word may be there more than once.
        with_mean: whether the mean is wanted, for label smoothing.

    Returns:
        (N, C) log-probabilities and (N,) their mean over the vocabulary (zeros where not wanted), float32, in nats.
    """
    found: tuple[Tensor, Tensor] = _WordLogProbs.apply(logits, words, with_mean)
    return found


class _WordLogProbs(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, logits: Tensor, words: Tensor, with_mean: bool) -> tuple[Tensor, Tensor]:
        normalizer = torch.empty(len(logits), device=logits.device)  # (N,)
        mean = torch.zeros_like(normalizer)
        for part in row_chunks(logits):
            chunk = logits[part].float()
            normalizer[part] = chunk.logsumexp(-1)
            if with_mean:
                mean[part] = chunk.mean(-1)
        ctx.save_for_backward(logits, words, normalizer)
        ctx.with_mean = with_mean
        if with_mean:
            mean -= normalizer
        else:
            ctx.mark_non_differentiable(mean)
        return logits.gather(-1, words).float() - normalizer.unsqueeze(-1), mean

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor, grad_mean: Tensor) -> tuple[Tensor, None, None]:
        # d log p_w / d logit_v = [v = w] - softmax_v
        logits, words, normalizer = ctx.saved_tensors
        weight = -grad.sum(-1)  # (N,)
        if ctx.with_mean:
            weight -= grad_mean
        result = torch.empty_like(logits)
        for part in row_chunks(logits):
            chunk = (logits[part].float() - normalizer[part].unsqueeze(-1)).exp_().mul_(weight[part].unsqueeze(-1))
            if ctx.with_mean:
                chunk += grad_mean[part].unsqueeze(-1) / logits.shape[-1]
            result[part] = chunk.scatter_add_(-1, words[part], grad[part])
        return result, None, None
