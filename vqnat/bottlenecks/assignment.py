"""Which codes stand for a vector: the nearest one, or samples from the posterior.

With a uniform prior and identity covariance, p(j | z) is proportional to exp(-||z - e_j||^2) (Roy et al. 2018,
section 3.2). ||z||^2 is the same for all j, so both functions work with z.e_j - ||e_j||^2 / 2, which needs one
matrix product and no square root. Rows are taken in chunks so that the scores stay in cache: no (N, K) tensor.
"""

import torch
from torch import Tensor

from vqnat.argmax import argmax

CHUNK_ELEMENTS = 1 << 20  # scores held at a time: 4 MiB in fp32
LEAST_LOG_WEIGHT = -60.0  # of the best code's; e^-60 K is far below 6e-8, the smallest uniform number


def _chunks(z: Tensor, num_codes: int) -> tuple[Tensor, ...]:
    return z.split(max(1, CHUNK_ELEMENTS // num_codes))


def nearest(z: Tensor, embedding: Tensor) -> Tensor:
    """The nearest code of each vector, argmin_j ||z - e_j||^2 (Roy et al. 2018, eq. 1).

    Args:
        z: (N, D) float32.
        embedding: (K, D) float32.

    Returns:
        (N,) int64; the lowest index among equals.
    """
    half_norms = embedding.square().sum(-1).mul_(0.5)  # (K,)
    found = [argmax(torch.addmm(-half_norms, part, embedding.t())) for part in _chunks(z, len(embedding))]
    return torch.cat(found) if found else z.new_zeros(0, dtype=torch.long)


def sample_posterior(z: Tensor, embedding: Tensor, num_samples: int) -> Tensor:
    """m independent draws per vector from softmax_j(-||z - e_j||^2), with replacement.

    Args:
        z: (N, D) float32.
        embedding: (K, D) float32.
        num_samples: m.

    Returns:
        (N, m) int64.
    """
    norms = embedding.square().sum(-1)  # (K,)
    drawn = []
    for part in _chunks(z, len(embedding)):
        scores = torch.addmm(-norms, part, embedding.t(), alpha=2)  # (n, K), -||z - e_j||^2 + ||z||^2
        # Numbers too small for fp32's usual format would make softmax twenty times slower.
        scores = torch.maximum(scores, scores.amax(-1, keepdim=True) + LEAST_LOG_WEIGHT, out=scores)
        weights = scores.softmax(-1)  # a third faster than exp alone: a row at a time, in cache
        # 1 - u is in (0, 1]: a draw of exactly 0 would pick code 0 even when its weight is 0.
        uniform = 1 - torch.rand(len(part), num_samples, device=z.device, dtype=weights.dtype)
        drawn.append(draw(weights, uniform))
    return torch.cat(drawn) if drawn else torch.zeros(0, num_samples, dtype=torch.long, device=z.device)


def draw(weights: Tensor, uniform: Tensor) -> Tensor:
    """Indices with probabilities proportional to weights, by the inverse of the cumulative distribution.

    A running sum over all K weights costs more than their exponentials. So the sums of blocks of weights are made
    first (a vectorised pass), then the running sum over blocks picks a block, and one within that block an index:
    beyond the first pass the cost is m times the length of a block.

    Args:
        weights: (n, K), not negative, at least one positive in each row.
        uniform: (n, m) in (0, 1].

    Returns:
        (n, m) int64, never an index with weight 0.
    """
    block = _block_length(weights.shape[-1], uniform.shape[-1])
    if block == 1:
        return _invert(weights.cumsum(-1), uniform)
    blocks = weights.unflatten(-1, (-1, block))  # (n, K / block, block)
    cumulative = blocks.sum(-1).cumsum(-1)  # (n, K / block)
    chosen = _invert(cumulative, uniform)  # (n, m)
    before = torch.where(chosen > 0, cumulative.gather(-1, (chosen - 1).clamp_(min=0)), 0)
    left = uniform * cumulative[:, -1:] - before  # (n, m), in (0, sum of the block]
    rows = torch.arange(len(weights), device=weights.device).unsqueeze(-1)
    inside = blocks[rows, chosen].cumsum(-1)  # (n, m, block)
    # Rounding may leave a little more than the block holds: the last index with a weight takes it.
    left = torch.minimum(left.unsqueeze(-1), inside[..., -1:])
    return torch.searchsorted(inside, left).squeeze(-1).add_(chosen, alpha=block)


def _block_length(size: int, draws: int) -> int:
    """Running sums cost size / block + draws * block, least at sqrt(size / draws); longer blocks are summed faster."""
    wanted = 2 * (size / draws) ** 0.5
    block = 1
    while 2 * block <= wanted and size % (2 * block) == 0:
        block *= 2
    return block if block >= 8 else 1


def _invert(cumulative: Tensor, uniform: Tensor) -> Tensor:
    # Scaling by the last value makes rounding in the sum harmless.
    return torch.searchsorted(cumulative, uniform * cumulative[:, -1:]).clamp_(max=cumulative.shape[-1] - 1)
