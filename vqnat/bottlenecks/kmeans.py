"""Lloyd's k-means, to start a codebook from encoder vectors."""

import torch
import torch.nn.functional as F
from torch import Tensor

from vqnat.kernels.nearest import nearest


def kmeans(
    z: Tensor, num_clusters: int, generator: torch.Generator, iterations: int = 10, on_sphere: bool = False
) -> tuple[Tensor, Tensor]:
    """Cluster z (N, D) from a random start; an empty cluster moves to a random vector.

    Args:
        z: (N, D) float32, N >= num_clusters.
        num_clusters: K.
        generator: a CPU generator, so that replicas with the same z agree.
        iterations: assignments and means in turn, so often.
        on_sphere: z are unit vectors, and centres are to be (spherical k-means).

    Returns:
        centres (K, D), and how many vectors each has (K,), at least 1.
    """
    order = torch.randperm(len(z), generator=generator).to(z.device)
    centres = z[order[:num_clusters]].clone()
    for _ in range(iterations):
        codes = nearest(z, centres)
        counts = torch.zeros(num_clusters, device=z.device).index_add_(0, codes, torch.ones(len(z), device=z.device))
        sums = torch.zeros_like(centres).index_add_(0, codes, z)
        spare = z[torch.randint(len(z), (num_clusters,), generator=generator).to(z.device)]
        empty = (counts == 0).unsqueeze(-1)
        centres = torch.where(empty, spare, sums / counts.clamp(min=1).unsqueeze(-1))
        if on_sphere:
            centres = F.normalize(centres, dim=-1)
    return centres, counts.clamp(min=1)
