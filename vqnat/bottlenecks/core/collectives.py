"""Sums and rows over data-parallel replicas; the identity in a single process."""

from collections.abc import Sequence

import torch
import torch.distributed as dist
from torch import Tensor


def is_parallel() -> bool:
    """Whether this process is one of several replicas."""
    return dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1


def sum_replicas(*tensors: Tensor) -> None:
    """Replace each tensor by its sum over all replicas, in one collective."""
    if not is_parallel():
        return
    flat = torch.cat([t.reshape(-1) for t in tensors])
    dist.all_reduce(flat)
    for tensor, total in zip(tensors, flat.split([t.numel() for t in tensors]), strict=True):
        tensor.copy_(total.view_as(tensor))


def gather_batches(batches: Sequence[Tensor], like: Tensor) -> Tensor:
    """Concatenate the rows of all micro-batches of all replicas, as one process with all of them would have them.

    The first micro-batch of each replica in order of rank, then the second of each, and so on: the order in which
    fairseq deals out batches.

    Args:
        batches: the micro-batches (n_i, D) of this replica, as many as it has.
        like: a tensor (0, D) for a replica without any.
    """
    rows = torch.cat([*batches, like])
    if not is_parallel():
        return rows
    numbers = [torch.full((len(batch), 1), float(i), device=rows.device) for i, batch in enumerate(batches)]
    column = torch.cat([*numbers, rows.new_empty(0, 1)]).to(rows)
    numbered = gather_rows(torch.cat([rows, column], 1))
    return numbered[numbered[:, -1].argsort(stable=True), :-1]


def gather_rows(rows: Tensor) -> Tensor:
    """Concatenate the rows (n_i, D) of all replicas in order of rank; n_i may differ and be zero."""
    if not is_parallel():
        return rows
    counts = [torch.zeros(1, dtype=torch.long, device=rows.device) for _ in range(dist.get_world_size())]
    dist.all_gather(counts, torch.tensor([len(rows)], device=rows.device))
    longest = max(int(n) for n in counts)
    padded = rows.new_zeros(longest, rows.shape[1])
    padded[: len(rows)] = rows
    gathered = [torch.empty_like(padded) for _ in counts]
    dist.all_gather(gathered, padded)
    return torch.cat([part[: int(n)] for part, n in zip(gathered, counts, strict=True)])
