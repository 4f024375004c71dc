"""Two gloo processes with different data keep the codebook of one process with all of it."""

import socket
from types import SimpleNamespace

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp

from vqnat.bottlenecks import build_bottleneck

STEPS = 6


def build(start, threshold):
    torch.manual_seed(1)
    options = SimpleNamespace(
        codebook_size=8, codebook_start=start, codebook_start_updates=2, ema_decay=0.8, dead_code_threshold=threshold
    )
    return build_bottleneck("hard_em", options, 4)


def batch(step, row):
    generator = torch.Generator().manual_seed(10 * step + row)
    mask = torch.ones(1, 10, dtype=torch.bool)
    mask[:, 6 + row :] = False
    return torch.randn(1, 10, 4, generator=generator), mask


def replica(rank, port, start, threshold, results):
    dist.init_process_group("gloo", init_method=f"tcp://localhost:{port}", rank=rank, world_size=2)
    bottleneck = build(start, threshold)
    for step in range(STEPS):
        z, mask = batch(step, rank)
        bottleneck.accumulating = not (step == 4 and rank == 1)  # a dummy batch, as fairseq gives an idle replica
        bottleneck(z, mask & (torch.tensor(step != 3 or rank != 1)))  # and one without a real position
        bottleneck.apply_update()
    results[rank] = (bottleneck.codebook.counts.numpy(), bottleneck.codebook.embedding.numpy(), bottleneck.started)
    dist.destroy_process_group()


@pytest.mark.parametrize(("start", "threshold"), [("random", 0.0), ("kmeans", 0.0), ("data", 0.3)])
def test_two_replicas_are_one_process(start, threshold):
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    results = mp.get_context("spawn").Manager().dict()
    mp.spawn(replica, (port, start, threshold, results), nprocs=2)
    for one, two in zip(results[0], results[1], strict=True):
        assert (one == two).all() if not isinstance(one, bool) else one == two
    assert results[0][2]

    if threshold:
        return  # which rows replace dead codes is drawn from each process's own batch
    alone = build(start, threshold)
    for step in range(STEPS):
        for row in range(2):
            if not (step in (3, 4) and row == 1):
                alone(*batch(step, row))
        alone.apply_update()
    torch.testing.assert_close(torch.from_numpy(results[0][0]), alone.codebook.counts)
    torch.testing.assert_close(torch.from_numpy(results[0][1]), alone.codebook.embedding, rtol=1e-4, atol=1e-5)
