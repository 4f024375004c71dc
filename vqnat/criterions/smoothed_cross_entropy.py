"""Label-smoothed cross-entropy with one (N, V) tensor of its own, and that only in backward."""

import torch
from torch import Tensor


class _SmoothedCrossEntropy(torch.autograd.Function):
    @staticmethod
    def forward(ctx, logits: Tensor, targets: Tensor, smoothing: float) -> tuple[Tensor, Tensor]:
        normaliser = logits.logsumexp(-1).float()  # (N,)
        nll = normaliser - logits.gather(-1, targets.unsqueeze(-1)).squeeze(-1).float()
        loss = (1 - smoothing) * nll
        if smoothing > 0:
            loss += smoothing * (normaliser - logits.mean(-1, dtype=torch.float32))
        ctx.save_for_backward(logits, targets, normaliser)
        ctx.smoothing = smoothing
        ctx.mark_non_differentiable(nll)
        return loss, nll

    @staticmethod
    def backward(ctx, grad_loss: Tensor, _) -> tuple[Tensor, None, None]:
        # d loss / d logit_v = softmax_v - (1 - eps) [v = target] - eps / V, in place in one buffer
        logits, targets, normaliser = ctx.saved_tensors
        grad = logits - normaliser.to(logits.dtype).unsqueeze(-1)
        grad.exp_()
        if ctx.smoothing > 0:
            grad -= ctx.smoothing / logits.shape[-1]
        gold = targets.unsqueeze(-1)
        grad.scatter_add_(-1, gold, grad.new_full(gold.shape, ctx.smoothing - 1))
        return grad.mul_(grad_loss.unsqueeze(-1).to(grad.dtype)), None, None


def smoothed_cross_entropy(logits: Tensor, targets: Tensor, smoothing: float = 0.0) -> tuple[Tensor, Tensor]:
    """Cross-entropy against (1 - smoothing) one-hot + smoothing / V uniform, at each position.

    Autograd of ``log_softmax`` followed by a gather and a mean keeps and fills several (N, V) tensors, which is
    the largest part of a small model's step; here backward writes the gradient once.

    Args:
        logits: (N, V).
        targets: (N,) int64.
        smoothing: 0 <= value < 1.

    Returns:
        loss (N,) with a gradient, and the plain negative log-likelihood (N,) without; float32, in nats.
    """
    return _SmoothedCrossEntropy.apply(logits, targets, smoothing)
