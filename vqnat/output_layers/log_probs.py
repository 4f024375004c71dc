"""Log-probabilities of a few words at each position, without a log-softmax of the vocabulary in memory."""

from collections.abc import Iterator

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

# Logits in work at a time: on a CPU what stays in its cache, elsewhere what needs few launches.
CHUNK_ELEMENTS = {"cpu": 1 << 17}
LARGE_CHUNK_ELEMENTS = 1 << 26


def _chunks(logits: Tensor) -> Iterator[slice]:
    rows = max(1, CHUNK_ELEMENTS.get(logits.device.type, LARGE_CHUNK_ELEMENTS) // max(1, logits.shape[-1]))
    return (slice(start, start + rows) for start in range(0, len(logits), rows))


class _WordLogProbs(torch.autograd.Function):
    @staticmethod
    def forward(ctx, logits: Tensor, words: Tensor, with_mean: bool) -> tuple[Tensor, Tensor]:
        normaliser = torch.empty(len(logits), device=logits.device)  # (N,)
        mean = torch.zeros_like(normaliser)
        for part in _chunks(logits):
            chunk = logits[part].float()
            normaliser[part] = chunk.logsumexp(-1)
            if with_mean:
                mean[part] = chunk.mean(-1)
        ctx.save_for_backward(logits, words, normaliser)
        ctx.with_mean = with_mean
        if with_mean:
            mean -= normaliser
        else:
            ctx.mark_non_differentiable(mean)
        return logits.gather(-1, words).float() - normaliser.unsqueeze(-1), mean

    @staticmethod
    @once_differentiable
    def backward(ctx, grad: Tensor, grad_mean: Tensor) -> tuple[Tensor, None, None]:
        # d log p_w / d logit_v = [v = w] - softmax_v
        logits, words, normaliser = ctx.saved_tensors
        weight = -grad.sum(-1)  # (N,)
        if ctx.with_mean:
            weight -= grad_mean
        result = torch.empty_like(logits)
        for part in _chunks(logits):
            chunk = (logits[part].float() - normaliser[part].unsqueeze(-1)).exp_().mul_(weight[part].unsqueeze(-1))
            if ctx.with_mean:
                chunk += grad_mean[part].unsqueeze(-1) / logits.shape[-1]
            result[part] = chunk.scatter_add_(-1, words[part], grad[part])
        return result, None, None


def word_log_probs(logits: Tensor, words: Tensor, with_mean: bool = False) -> tuple[Tensor, Tensor]:
    """log p of the given words at each position, with a gradient.

    Args:
        logits: (N, V), of any precision.
        words: (N, C) int64; a word may be there more than once.
        with_mean: whether the mean is wanted, for label smoothing.

    Returns:
        (N, C) log-probabilities and (N,) their mean over the vocabulary (zeros where not wanted), float32, in nats.
    """
    return _WordLogProbs.apply(logits, words, with_mean)


def smoothing_loss(mean: Tensor, rows: Tensor, positions: Tensor, words: Tensor) -> Tensor:
    """Label smoothing where words have no position of their own: a sentence's mean over its positions for each word.

    Args:
        mean: (N,) mean log-probability of the vocabulary at each position.
        rows: (N,) the sentence of each position.
        positions: (B,) how many a sentence has.
        words: (B,) how many words; 0 where the sentence does not count.
    """
    return -(mean * (words / positions.clamp(min=1))[rows]).sum()
