"""A bottleneck's state: resumed, read by another process, averaged."""

import copy
import subprocess
import sys

import pytest
import torch
from quantizing import SMALL, VARIANTS, batch, label, same_state, small, state

from vqnat.checkpoints.averaging import average_checkpoints


def train(bottleneck, optimizer, steps):
    for step in steps:
        bottleneck.set_num_updates(step)
        torch.manual_seed(step)
        output = bottleneck(*batch(seed=step))
        total = output.quantized.square().sum() + sum(part for part, _ in output.losses.values())
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
        bottleneck.apply_update()


STARTING = {"codebook_start": "kmeans", "codebook_start_updates": 4, "dead_code_threshold": 0.3}
RESUMED = [
    *VARIANTS,
    *((name, {"codebook_size": 4} | STARTING) for name in SMALL if "codebook_start" in SMALL[name]),
    *(
        (name, {"codebook_size": 4} | STARTING | options)
        for name, options in [
            ("soft_em", {"dead_code_timeout": 2}),
            *(("vq", {"codebook_l2": True}), ("vq", {"codebook_inner_lr": 1.0})),
        ]
    ),
]


@pytest.mark.parametrize("variant", RESUMED, ids=label)
@pytest.mark.parametrize("stop", [2, 6])
def test_resuming_is_exact(variant, stop):
    def setting(seed):
        bottleneck = small(variant[0], seed=seed, **variant[1])
        parameters = [p for p in bottleneck.parameters() if p.requires_grad] or [torch.nn.Parameter(torch.zeros(1))]
        return bottleneck, torch.optim.Adam(parameters, lr=0.01)

    one, first = setting(1)
    train(one, first, range(stop))
    two, second = setting(2)  # other first weights
    two.load_state_dict(one.state_dict())
    second.load_state_dict(copy.deepcopy(first.state_dict()))
    for bottleneck, optimizer in ((one, first), (two, second)):
        train(bottleneck, optimizer, range(stop, 9))
    same_state(state(one), state(two), rtol=0, atol=0)
    assert one.started and two.started


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory):
    """For each variant, the codes and vectors that another process gets from a saved state."""
    folder = tmp_path_factory.mktemp("states")
    saved = []
    for name, options in VARIANTS:
        bottleneck = small(name, **options)
        parameters = [p for p in bottleneck.parameters() if p.requires_grad] or [torch.nn.Parameter(torch.zeros(1))]
        train(bottleneck, torch.optim.Adam(parameters, lr=0.01), range(3))
        z, mask = batch(seed=20)
        output = bottleneck.eval()(z, mask)
        saved.append(
            (name, options, bottleneck.state_dict(), z.detach(), mask, output.codes, output.quantized.detach())
        )
    torch.save(saved, folder / "saved.pt")
    program = """
import sys, torch
from quantizing import small
found = []
for name, options, state, z, mask, *_ in torch.load(sys.argv[1], weights_only=True):
    bottleneck = small(name, seed=99, **options)
    bottleneck.load_state_dict(state)
    output = bottleneck.eval()(z, mask)
    found.append((output.codes, output.quantized.detach()))
torch.save(found, sys.argv[2])
"""
    paths = [folder / "saved.pt", folder / "found.pt"]
    environment = {"PYTHONPATH": ":".join(sys.path), "OMP_NUM_THREADS": "1", "PATH": "/usr/bin:/bin"}
    subprocess.run([sys.executable, "-c", program, *map(str, paths)], check=True, env=environment)
    return list(zip(saved, torch.load(paths[1], weights_only=True), strict=True))


@pytest.mark.parametrize("number", range(len(VARIANTS)), ids=[label(variant) for variant in VARIANTS])
def test_a_state_gives_the_same_codes_in_another_process(elsewhere, number):
    (*_, codes, quantized), (their_codes, their_quantized) = elsewhere[number]
    assert torch.equal(codes, their_codes)
    assert torch.equal(quantized, their_quantized)
    assert codes.unique().numel() > 1


@pytest.mark.parametrize("name", ["hard_em", "soft_em", "vq", "product", "gm_vq", "fsq"])
def test_averaging_checkpoints_averages_state_and_not_codes(name, tmp_path):
    bottlenecks = [small(name) for _ in range(3)]
    for number, bottleneck in enumerate(bottlenecks[:2]):
        parameters = [p for p in bottleneck.parameters() if p.requires_grad] or [torch.nn.Parameter(torch.zeros(1))]
        train(bottleneck, torch.optim.Adam(parameters, lr=0.05), range(10 * number, 10 * number + 5))
        torch.save({"model": bottleneck.state_dict()}, tmp_path / f"{number}.pt")
    average = average_checkpoints([tmp_path / "0.pt", tmp_path / "1.pt"])["model"]
    bottlenecks[2].load_state_dict(average)
    one, two, mean = (state(bottleneck) for bottleneck in bottlenecks)
    for key in mean:
        if mean[key].is_floating_point() and mean[key].numel():
            torch.testing.assert_close(mean[key], (one[key] + two[key]) / 2)
    if name in ("hard_em", "soft_em"):
        a, b, c = (bottleneck.codebook for bottleneck in bottlenecks)
        counts = a.counts + b.counts
        torch.testing.assert_close(c.embedding, (a.sums + b.sums) / counts.unsqueeze(-1), rtol=1e-3, atol=1e-4)
        assert not torch.allclose(c.embedding, (a.embedding + b.embedding) / 2, rtol=1e-3, atol=1e-4)
