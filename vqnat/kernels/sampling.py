"""Samples from the posterior over codes.

With a uniform prior and identity covariance, p(j | z) is proportional to exp(-||z - e_j||^2) (Roy et al. 2018,
section 3.2); ||z||^2 cancels, as in :mod:`vqnat.kernels.nearest`, and no (N, K) tensor is made.
"""

import torch
from torch import Tensor

from vqnat.kernels.nearest import TILE_CODES, squared_norms, tiles

DENSE_CODES = 1 << 14  # with more, a tile of whole rows has too few vectors for a fast product, or leaves the cache
STREAMED_BLOCK = 16  # codes whose weights are summed, and computed again where one of them is drawn
LEAST_LOG_WEIGHT = -60.0  # relative to the best code; K e^-60 is far below 6e-8, the smallest uniform number


def sample_reference(z: Tensor, embedding: Tensor, uniform: Tensor) -> Tensor:
    """What :func:`sample_posterior` draws with the uniform numbers (N, m) in (0, 1], by its definition, in float64."""
    distances = (z.double().unsqueeze(1) - embedding.double()).square().sum(-1)  # (N, K)
    return torch.searchsorted((-distances).softmax(-1).cumsum(-1), uniform.double()).clamp_(max=len(embedding) - 1)


@torch.no_grad()
def sample_posterior(z: Tensor, embedding: Tensor, num_samples: int) -> Tensor:
    """m independent draws per vector from softmax_j(-||z - e_j||^2), with replacement.

    Args:
        z: (N, D) float32.
        embedding: (K, D) float32.
        num_samples: m.

    Returns:
        (N, m) int64.
    """
    size = len(embedding)
    norms = squared_norms(embedding)
    streamed = size > DENSE_CODES and size % STREAMED_BLOCK == 0
    buffer, parts = tiles(z, TILE_CODES if streamed else size)
    drawn = []
    for part in parts:
        # 1 - u is in (0, 1]: a draw of exactly 0 would pick code 0 even when its weight is 0.
        uniform = 1 - torch.rand(len(part), num_samples, device=z.device, dtype=z.dtype)
        drawn.append((_draw_streamed if streamed else _draw_dense)(part, embedding, norms, uniform, buffer))
    return torch.cat(drawn)


def _draw_dense(z: Tensor, embedding: Tensor, norms: Tensor, uniform: Tensor, buffer: Tensor) -> Tensor:
    scores = torch.addmm(-norms, z, embedding.t(), alpha=2, out=buffer[: len(z)])  # (n, K), -||z - e_j||^2 + ||z||^2
    return draw(_softmax(scores, scores.amax(-1, keepdim=True)), uniform)


def _softmax(scores: Tensor, best: Tensor) -> Tensor:
    # Without the floor, subnormal numbers would make it twenty times slower. It is a third faster than exp alone.
    return torch.softmax(torch.maximum(scores, best + LEAST_LOG_WEIGHT, out=scores), -1, out=scores)


def _draw_streamed(z: Tensor, embedding: Tensor, norms: Tensor, uniform: Tensor, buffer: Tensor) -> Tensor:
    """Keeps only sums of weights over blocks of codes; the weights of a drawn block are computed a second time."""
    best, sums = [], []
    for codes, squared in zip(embedding.split(TILE_CODES), norms.split(TILE_CODES), strict=True):
        scores = torch.addmm(-squared, z, codes.t(), alpha=2, out=buffer[: len(z), : len(codes)])
        best.append(scores.amax(-1, keepdim=True))
        weights = _softmax(scores, best[-1])
        sums.append(weights.unflatten(-1, (-1, STREAMED_BLOCK)).sum(-1).div_(weights.amax(-1, keepdim=True)))
    top = torch.cat(best, -1).amax(-1, keepdim=True)  # (n, 1), the best code's score
    # Until here, the weights of each tile are relative to its own best code.
    cumulative = torch.cat([part.mul_(_weights(own, top)) for part, own in zip(sums, best, strict=True)], -1).cumsum(-1)
    chosen, left = _draw_block(cumulative, uniform)  # (n, m)
    blocks = embedding.view(-1, STREAMED_BLOCK, embedding.shape[-1])
    # One draw at a time: gathering all drawn blocks at once would need a large tensor.
    scores = torch.stack([torch.bmm(blocks[one], z.unsqueeze(-1)).squeeze(-1) for one in chosen.unbind(1)], 1).mul_(2)
    scores -= norms.view(-1, STREAMED_BLOCK)[chosen]
    return _draw_inside(_weights(scores, top.unsqueeze(-1)), chosen, left)


def _weights(scores: Tensor, top: Tensor) -> Tensor:
    return scores.sub_(top).clamp_(min=LEAST_LOG_WEIGHT).exp_()


def draw(weights: Tensor, uniform: Tensor) -> Tensor:
    """Indices with probabilities proportional to weights, by the inverse of the cumulative distribution.

    A running sum over all K weights costs more than their exponentials. So blocks of weights are summed first (a
    vectorized pass); the running sum over blocks picks a block, and one within that block picks an index. Beyond
    the first pass, the cost is m times the length of a block.

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
    chosen, left = _draw_block(blocks.sum(-1).cumsum(-1), uniform)
    rows = torch.arange(len(weights), device=weights.device).unsqueeze(-1)
    return _draw_inside(blocks[rows, chosen], chosen, left)


def _draw_block(cumulative: Tensor, uniform: Tensor) -> tuple[Tensor, Tensor]:
    """The block (n, m) that each uniform number falls into, by running sums over blocks, and its remainder there."""
    chosen = _invert(cumulative, uniform)
    before = torch.where(chosen > 0, cumulative.gather(-1, (chosen - 1).clamp_(min=0)), 0)
    return chosen, uniform * cumulative[:, -1:] - before  # in (0, sum of the block]


def _draw_inside(weights: Tensor, chosen: Tensor, left: Tensor) -> Tensor:
    """The index that the remainder falls on within its block, whose weights (n, m, block) are given."""
    inside = weights.cumsum(-1)
    # Rounding may leave slightly more than the block holds: the last index with a positive weight takes it.
    left = torch.minimum(left.unsqueeze(-1), inside[..., -1:])
    return torch.searchsorted(inside, left).squeeze(-1).add_(chosen, alpha=weights.shape[-1])


def _block_length(size: int, draws: int) -> int:
    """Running sums cost size / block + draws * block, minimal at sqrt(size / draws); longer blocks sum faster."""
    wanted = 2 * (size / draws) ** 0.5
    block = 1
    while 2 * block <= wanted and size % (2 * block) == 0:
        block *= 2
    return block if block >= 8 else 1


def _invert(cumulative: Tensor, uniform: Tensor) -> Tensor:
    # Scaling by the last value makes rounding in the sum harmless.
    return torch.searchsorted(cumulative, uniform * cumulative[:, -1:]).clamp_(max=cumulative.shape[-1] - 1)
