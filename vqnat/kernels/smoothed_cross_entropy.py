"""Label-smoothed cross-entropy in fp32 without an (N, V) tensor in fp32."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from vqnat.kernels.chunks import row_chunks


def smoothed_cross_entropy_reference(logits: Tensor, targets: Tensor, smoothing: float = 0.0) -> tuple[Tensor, Tensor]:
    """As :func:`smoothed_cross_entropy`, by autograd of ``log_softmax``."""
    loss = F.cross_entropy(logits.float(), targets, label_smoothing=smoothing, reduction="none")
    return loss, F.cross_entropy(logits.detach().float(), targets, reduction="none")


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
    losses: tuple[Tensor, Tensor] = _SmoothedCrossEntropy.apply(logits, targets, smoothing)
    return losses


class _SmoothedCrossEntropy(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, logits: Tensor, targets: Tensor, smoothing: float) -> tuple[Tensor, Tensor]:
        normalizer = torch.empty(len(logits), device=logits.device)  # (N,)
        mean = torch.empty_like(normalizer)
        for part in row_chunks(logits):
            chunk = logits[part].float()
            normalizer[part] = chunk.logsumexp(-1)
            if smoothing > 0:
                mean[part] = chunk.mean(-1)
        nll = normalizer - logits.gather(-1, targets.unsqueeze(-1)).squeeze(-1).float()
        loss = (1 - smoothing) * nll
        if smoothing > 0:
            loss += smoothing * (normalizer - mean)
        ctx.save_for_backward(logits, targets, normalizer)
        ctx.smoothing = smoothing
        ctx.mark_non_differentiable(nll)
        return loss, nll

    @staticmethod
    def backward(ctx: Any, grad_loss: Tensor, _: Tensor) -> tuple[Tensor, None, None]:
        # d loss / d logit_v = softmax_v - (1 - eps) [v = target] - eps / V
        logits, targets, normalizer = ctx.saved_tensors
        grad = torch.empty_like(logits)
        for part in row_chunks(logits):
            chunk = (logits[part].float() - normalizer[part].unsqueeze(-1)).exp_()
            if ctx.smoothing > 0:
                chunk -= ctx.smoothing / logits.shape[-1]
            gold = targets[part].unsqueeze(-1)
            chunk.scatter_add_(-1, gold, chunk.new_full(gold.shape, ctx.smoothing - 1))
            grad[part] = chunk.mul_(grad_loss[part].unsqueeze(-1))
        return grad, None, None
