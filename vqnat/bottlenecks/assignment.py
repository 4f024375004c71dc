"""Which codes stand for a vector: the nearest one, or samples from the posterior.

With a uniform prior and identity covariance, p(j | z) is proportional to exp(-||z - e_j||^2) (Roy et al. 2018,
section 3.2). ||z||^2 is the same for all j, so both functions work with z.e_j - ||e_j||^2 / 2, which needs one
matrix product and no square root. Rows are taken in chunks so that the scores stay in cache: no (N, K) tensor.
"""

import torch
from torch import Tensor

CHUNK_ELEMENTS = 1 << 20  # scores held at a time: 4 MiB in fp32


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
    found = [torch.addmm(-half_norms, part, embedding.t()).argmax(-1) for part in _chunks(z, len(embedding))]
    return torch.cat(found) if found else z.new_zeros(0, dtype=torch.long)


def sample_posterior(z: Tensor, embedding: Tensor, num_samples: int) -> Tensor:
    """m independent draws per vector from softmax_j(-||z - e_j||^2), with replacement.

    Inverse of the cumulative distribution: m uniform numbers per row and a binary search, so the cost of m
    beyond the softmax is m log K.

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
        cumulative = scores.softmax(-1).cumsum(-1)  # (n, K)
        # 1 - u is in (0, 1]: a draw of exactly 0 would pick code 0 even when its probability is 0.
        uniform = 1 - torch.rand(len(part), num_samples, device=z.device, dtype=cumulative.dtype)
        # Scaling by the last value makes rounding in the sum harmless.
        index = torch.searchsorted(cumulative, uniform * cumulative[:, -1:])
        drawn.append(index.clamp_(max=len(embedding) - 1))
    return torch.cat(drawn) if drawn else torch.zeros(0, num_samples, dtype=torch.long, device=z.device)
