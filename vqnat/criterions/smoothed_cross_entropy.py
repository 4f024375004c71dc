"""Label-smoothed cross-entropy in fp32 without an (N, V) tensor in fp32."""

from collections.abc import Iterator

import torch
from torch import Tensor

# Logits in work at a time: on a CPU what stays in its cache, elsewhere what needs few launches.
CHUNK_ELEMENTS = {"cpu": 1 << 17}
LARGE_CHUNK_ELEMENTS = 1 << 26


def _chunks(logits: Tensor) -> Iterator[slice]:
    rows = max(1, CHUNK_ELEMENTS.get(logits.device.type, LARGE_CHUNK_ELEMENTS) // max(1, logits.shape[-1]))
    return (slice(start, start + rows) for start in range(0, len(logits), rows))


class _SmoothedCrossEntropy(torch.autograd.Function):
    @staticmethod
    def forward(ctx, logits: Tensor, targets: Tensor, smoothing: float) -> tuple[Tensor, Tensor]:
        normaliser = torch.empty(len(logits), device=logits.device)  # (N,)
        mean = torch.empty_like(normaliser)
        for part in _chunks(logits):
            chunk = logits[part].float()
            normaliser[part] = chunk.logsumexp(-1)
            if smoothing > 0:
                mean[part] = chunk.mean(-1)
        nll = normaliser - logits.gather(-1, targets.unsqueeze(-1)).squeeze(-1).float()
        loss = (1 - smoothing) * nll
        if smoothing > 0:
            loss += smoothing * (normaliser - mean)
        ctx.save_for_backward(logits, targets, normaliser)
        ctx.smoothing = smoothing
        ctx.mark_non_differentiable(nll)
        return loss, nll

    @staticmethod
    def backward(ctx, grad_loss: Tensor, _) -> tuple[Tensor, None, None]:
        # d loss / d logit_v = softmax_v - (1 - eps) [v = target] - eps / V
        logits, targets, normaliser = ctx.saved_tensors
        grad = torch.empty_like(logits)
        for part in _chunks(logits):
            chunk = (logits[part].float() - normaliser[part].unsqueeze(-1)).exp_()
            if ctx.smoothing > 0:
                chunk -= ctx.smoothing / logits.shape[-1]
            gold = targets[part].unsqueeze(-1)
            chunk.scatter_add_(-1, gold, chunk.new_full(gold.shape, ctx.smoothing - 1))
            grad[part] = chunk.mul_(grad_loss[part].unsqueeze(-1))
        return grad, None, None


def smoothed_cross_entropy(logits: Tensor, targets: Tensor, smoothing: float = 0.0) -> tuple[Tensor, Tensor]:
    """Cross-entropy against (1 - smoothing) one-hot + smoothing / V uniform, at each position.

    Autograd of ``log_softmax`` followed by a gather and a mean keeps and fills several (N, V) tensors in fp32,
    which is the largest part of a small model's step; here backward writes the gradient once, in the type of the
    logits.

    Args:
        logits: (N, V), of any precision.
        targets: (N,) int64.
        smoothing: 0 <= value < 1.

    Returns:
        loss (N,) with a gradient, and the plain negative log-likelihood (N,) without; float32, in nats.
    """
    return _SmoothedCrossEntropy.apply(logits, targets, smoothing)
