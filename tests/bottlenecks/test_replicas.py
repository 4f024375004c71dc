"""Two gloo processes with different data keep the codebook of one process with all of it."""

import socket

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from quantizing import DIM, SMALL, label, small

STEPS = 6
KMEANS = {"codebook_size": 8, "codebook_start": "kmeans", "codebook_start_updates": 2}
DATA = {"codebook_size": 8, "codebook_start": "data", "codebook_start_updates": 2, "dead_code_threshold": 0.3}

CASES = [
    *((name, {}) for name in SMALL),
    *((name, KMEANS | {"codebook_size": 16}) for name in SMALL if "codebook_start" in SMALL[name]),
    *(("hard_em", options) for options in (DATA, KMEANS | {"codebook_l2": True})),
    ("soft_em", DATA | {"dead_code_timeout": 2}),
    *(("vq", options) for options in (KMEANS | {"codebook_affine": 2.0}, DATA | {"dead_code_timeout": 2})),
    *(("vq", options | {"codebook_inner_lr": 2.0}) for options in ({}, KMEANS | {"codebook_affine": 2.0}, DATA)),
    ("product", {"product_inner": "soft_em"}),
    ("product", {"codebook_start": "data", "codebook_start_updates": 2, "product_projection": "projected"}),
]


def batch(step, rank, number):
    generator = torch.Generator().manual_seed(100 * step + 10 * rank + number)
    mask = torch.ones(1, 10, dtype=torch.bool)
    mask[:, 6 + rank :] = False
    if step == 3 and rank == 1:
        mask[:] = False  # a replica without a real position
    return torch.randn(1, 10, DIM, generator=generator), mask


def train(variant, ranks, parallel):
    """Updates of two micro-batches for each of the ranks that this process stands for; the final state."""
    bottleneck = small(variant[0], **variant[1])
    learned = [p for p in bottleneck.parameters() if p.requires_grad]
    for step in range(STEPS):
        total = torch.zeros(()) + sum(p.sum() * 0 for p in learned)
        for number in range(2):  # in the order in which fairseq deals out batches
            for rank in ranks:
                torch.manual_seed(1000 * step + 10 * rank + number)  # what a bottleneck draws goes with its data
                dummy = step == 4 and rank == 1  # as fairseq gives to an idle replica
                if dummy and not parallel:
                    continue
                bottleneck.accumulating = not dummy
                output = bottleneck(*batch(step, rank, number))
                total = total + (0 if dummy else 1) * sum(loss for loss, _ in output.losses.values())
        gradients = torch.autograd.grad(total, learned) if learned else []
        for parameter, gradient in zip(learned, gradients, strict=True):
            gradient = gradient.contiguous()  # of an expanded tensor, gloo would overwrite other memory
            if parallel:
                dist.all_reduce(gradient)  # what data-parallel training does
            parameter.data -= 0.01 * gradient
        bottleneck.apply_update()
    return bottleneck.state_dict() | {"has codes": torch.tensor(bottleneck.started)}


def replica(rank, port, folder):
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"tcp://localhost:{port}", rank=rank, world_size=2)
    torch.save([train(variant, [rank], True) for variant in CASES], folder / f"{rank}.pt")
    dist.destroy_process_group()


@pytest.fixture(scope="module")
def replicas(tmp_path_factory):
    """The final states of all cases on each of two ranks."""
    folder = tmp_path_factory.mktemp("replicas")
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    mp.spawn(replica, (port, folder), nprocs=2)
    return [torch.load(folder / f"{rank}.pt", weights_only=True) for rank in range(2)]


@pytest.mark.parametrize("number", range(len(CASES)), ids=[label(case) for case in CASES])
def test_two_replicas_are_one_process(replicas, number):
    one, two = (states[number] for states in replicas)
    alone = train(CASES[number], [0, 1], False)
    first = small(CASES[number][0], **CASES[number][1]).state_dict()
    assert alone["has codes"]
    assert any(not torch.equal(alone[name], first[name]) for name in first), "nothing moved"
    for name in alone:
        assert torch.equal(one[name], two[name]), f"{name}: replicas drift apart"
        torch.testing.assert_close(
            one[name], alone[name], rtol=1e-4, atol=1e-5, msg=lambda text, name=name: f"{name}: {text}"
        )
