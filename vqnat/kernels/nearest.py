"""The nearest code of each vector.

||z||^2 is the same for all codes, so z.e_j - ||e_j||^2 / 2 ranks them with one matrix product and no square root.
Scores are computed one tile of vectors and codes at a time: a tile stays in cache, each code is still read once for
many vectors, and no (N, K) tensor is made.
"""

import torch
from torch import Tensor

from vqnat.kernels.argmax import argmax

TILE_ELEMENTS = 1 << 20  # scores held at a time: 4 MiB in fp32
TILE_CODES = 1 << 12


def nearest_reference(z: Tensor, embedding: Tensor) -> Tensor:
    """What :func:`nearest` computes, by its definition; holds (N, K, D) differences in float64."""
    distances = (z.double().unsqueeze(1) - embedding.double()).square().sum(-1)  # (N, K)
    return distances.argmin(-1)


@torch.no_grad()
def nearest(z: Tensor, embedding: Tensor) -> Tensor:
    """The nearest code of each vector, argmin_j ||z - e_j||^2 (Roy et al. 2018, eq. 1).

    Args:
        z: (N, D) float32.
        embedding: (K, D) float32.

    Returns:
        (N,) int64; the lowest index among equals.
    """
    half_norms = squared_norms(embedding).mul_(0.5)
    buffer, parts = tiles(z, min(TILE_CODES, len(embedding)))
    return torch.cat([_nearest(part, embedding, half_norms, buffer) for part in parts])


def _nearest(z: Tensor, embedding: Tensor, half_norms: Tensor, buffer: Tensor) -> Tensor:
    """The nearest codes (n,) of one tile of vectors (n, D), over all tiles of codes."""
    best = index = z.new_empty(0)
    first = 0
    for codes, half in zip(embedding.split(TILE_CODES), half_norms.split(TILE_CODES), strict=True):
        scores = torch.addmm(-half, z, codes.t(), out=buffer[: len(z), : len(codes)])
        here = argmax(scores)  # (n,)
        if len(codes) == len(embedding):
            return here
        value = scores.gather(-1, here.unsqueeze(-1)).squeeze(-1)  # (n,)
        here += first
        if first == 0:
            best, index = value, here
        else:
            index = torch.where(value > best, here, index)
            best = torch.maximum(value, best)
        first += len(codes)
    return index


@torch.no_grad()
def log_likelihoods(z: Tensor, embedding: Tensor) -> Tensor:
    """-||z - e_j||^2 + ||z||^2 (N, K) of z (N, D) and the codes (K, D): log p(z | j) up to a constant of each row."""
    return torch.addmm(-squared_norms(embedding), z, embedding.t(), alpha=2)


def most_likely(z: Tensor, embedding: Tensor, log_prior: Tensor | None = None) -> Tensor:
    """argmax_j of -||z - e_j||^2 + log p(j) (N,); without the prior (N, K) the nearest code."""
    if log_prior is None:
        return nearest(z, embedding)
    return argmax(log_likelihoods(z, embedding).add_(log_prior))


def squared_norms(embedding: Tensor) -> Tensor:
    """||e_j||^2 (K,) of the codes (K, D)."""
    norms: Tensor = torch.linalg.vector_norm(embedding, dim=-1)  # no (K, D) tensor of squares
    return norms.square_()


def tiles(z: Tensor, codes: int) -> tuple[Tensor, tuple[Tensor, ...]]:
    """A buffer (n, codes) for the scores of one tile, and z (N, D) split into parts of n vectors.

    The buffer is allocated once and reused: faulting in fresh pages for every tile would cost as much as its scores.
    """
    rows = max(1, min(len(z), TILE_ELEMENTS // codes))
    return z.new_empty(rows, codes), z.split(rows)
