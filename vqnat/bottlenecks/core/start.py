"""The first codebook: k-means of encoder vectors, or some of them."""

import torch
import torch.nn.functional as F
from torch import Tensor

from vqnat.kernels.nearest import nearest


def first_codebook(method: str, z: Tensor, num_codes: int, on_sphere: bool = False) -> tuple[Tensor, Tensor]:
    """Code vectors to begin with.

    Args:
        method: ``kmeans``, or ``data`` for random ones of the vectors.
        z: (M, D) float32, M >= num_codes, the same on every replica.
        num_codes: K.
        on_sphere: z are unit vectors, and so are the codes.

    Returns:
        vectors (K, D), and how many of z each stands for (K,), at least 1.
    """
    generator = torch.Generator().manual_seed(num_codes)  # the same on every replica
    if method == "kmeans":
        return kmeans(z, num_codes, generator, on_sphere=on_sphere)
    chosen = torch.randperm(len(z), generator=generator)[:num_codes]
    return z[chosen.to(z.device)], torch.ones(num_codes, device=z.device)


def kmeans(
    z: Tensor, num_clusters: int, generator: torch.Generator, iterations: int = 10, on_sphere: bool = False
) -> tuple[Tensor, Tensor]:
    """Cluster z (N, D) by Lloyd's algorithm from a random start; an empty cluster moves to a random vector.

    Args:
        z: (N, D) float32, N >= num_clusters.
        num_clusters: K.
        generator: a CPU generator, so that replicas with the same z agree.
        iterations: number of assignments, each followed by new means.
        on_sphere: z are unit vectors, and so are the centers (spherical k-means).

    Returns:
        centers (K, D), and how many vectors each has (K,), at least 1.
    """
    order = torch.randperm(len(z), generator=generator).to(z.device)
    centers = z[order[:num_clusters]].clone()
    counts = torch.zeros(num_clusters, device=z.device)
    for _ in range(iterations):
        codes = nearest(z, centers)
        counts = torch.zeros(num_clusters, device=z.device).index_add_(0, codes, torch.ones(len(z), device=z.device))
        sums = torch.zeros_like(centers).index_add_(0, codes, z)
        spare = z[torch.randint(len(z), (num_clusters,), generator=generator).to(z.device)]
        empty = (counts == 0).unsqueeze(-1)
        centers = torch.where(empty, spare, sums / counts.clamp(min=1).unsqueeze(-1))
        if on_sphere:
            centers = F.normalize(centers, dim=-1)
    return centers, counts.clamp(min=1)
