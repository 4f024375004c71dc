"""Writes ``version_0_1.pt`` beside this script: small checkpoints of every bottleneck of version 0.1.

Run it with the code of commit 3ce81be (the file in the repository was), in one thread:

    PYTHONPATH=<checkout of 3ce81be> OMP_NUM_THREADS=1 python make.py

Each case has the options, the number of updates, the state after them, and what evaluation then makes of a batch.
The tensors are packed into one of floats and one of integers, because each file inside a ``.pt`` costs 300 bytes.
"""

from pathlib import Path
from types import SimpleNamespace

import torch
from torch import Tensor

FILE = Path(__file__).with_name("version_0_1.pt")
DIM = 4
RANDOM = {"codebook_size": 16, "codebook_start": "random", "dead_code_threshold": 0.0}
KMEANS = {"codebook_size": 8, "codebook_start": "kmeans", "codebook_start_updates": 3, "dead_code_threshold": 0.3}
EMA = {"ema_decay": 0.9}

# Name, options, updates. Those of KMEANS wait for their start after 2 updates and replace dead codes after 6.
CASES: list[tuple[str, dict, int]] = [
    ("fsq", {"fsq_levels": "4,3"}, 3),
    ("gm_vq", RANDOM, 3),
    ("gm_vq", KMEANS, 6),
    ("gumbel_softmax", {"codebook_size": 16}, 3),
    ("gumbel_vqvae", {"codebook_size": 16}, 3),
    ("hard_em", RANDOM | EMA, 3),
    ("hard_em", RANDOM | EMA | {"codebook_l2": True, "estimator": "rotation"}, 3),
    ("hard_em", KMEANS | EMA, 2),
    ("hard_em", KMEANS | EMA, 6),
    ("hard_em", KMEANS | EMA | {"codebook_start": "data", "dead_code_timeout": 2, "codebook_l2": True}, 6),
    ("lfq", {"codebook_size": 16}, 3),
    ("product", RANDOM | EMA, 3),
    ("product", KMEANS | EMA | {"codebook_size": 64}, 2),
    (
        "product",
        KMEANS | EMA | {"codebook_size": 64, "product_inner": "soft_em", "num_samples": 3, "dead_code_timeout": 2},
        6,
    ),
    ("product", RANDOM | {"product_inner": "vq", "product_projection": "learned"}, 3),
    ("product", RANDOM | EMA | {"product_projection": "projected"}, 3),
    ("semhash", {"codebook_size": 16, "semhash_discrete_updates": 5}, 3),
    ("sim_vq", {"codebook_size": 16}, 3),
    ("sim_vq", {"codebook_size": 16, "codebook_l2": True}, 3),
    ("soft_em", RANDOM | EMA | {"num_samples": 4}, 3),
    ("soft_em", RANDOM | EMA | {"num_samples": 4, "posterior_temperature": 2.0, "codebook_l2": True}, 3),
    ("soft_em", KMEANS | EMA | {"num_samples": 4}, 2),
    ("soft_em", KMEANS | EMA | {"num_samples": 4, "dead_code_timeout": 2}, 6),
    ("sq_vae", RANDOM, 3),
    ("sq_vae", KMEANS | {"sq_variance": 0.0}, 6),
    ("vq", RANDOM, 3),
    ("vq", RANDOM | {"codebook_l2": True, "estimator": "rotation"}, 3),
    ("vq", RANDOM | {"codebook_affine": 2.0}, 3),
    ("vq", RANDOM | {"codebook_inner_lr": 2.0, "codebook_affine": 2.0, "codebook_l2": True}, 3),
    ("vq", KMEANS | {"dead_code_timeout": 2}, 6),
    ("vq", KMEANS | {"codebook_inner_lr": 2.0}, 2),
]


def batch(seed: int) -> tuple[Tensor, Tensor]:
    """Vectors (3, 6, D) and a mask (3, 6) with pads at the end of some rows."""
    z = torch.randn(3, 6, DIM, generator=torch.Generator().manual_seed(seed))
    mask = torch.ones(3, 6, dtype=torch.bool)
    mask[0, 4:] = mask[-1, 1:] = False
    return z, mask


def build(name: str, options: dict, seed: int = 1):
    """A bottleneck with the first state of a seed."""
    from vqnat.bottlenecks import build_bottleneck

    torch.manual_seed(seed)
    return build_bottleneck(name, SimpleNamespace(**options), DIM)


def train(bottleneck, updates: int) -> None:
    """So many updates of two micro-batches each, from fixed seeds."""
    learned = [p for p in bottleneck.parameters() if p.requires_grad] or [torch.nn.Parameter(torch.zeros(1))]
    optimizer = torch.optim.SGD(learned, lr=0.01)
    for step in range(updates):
        bottleneck.set_num_updates(1000 * step)
        torch.manual_seed(step)
        optimizer.zero_grad()
        for number in range(2):
            z, mask = batch(10 * step + number)
            output = bottleneck(z.requires_grad_(), mask)
            total = output.quantized.square().sum() + sum(part for part, _ in output.losses.values())
            total.backward()
        optimizer.step()
        bottleneck.apply_update()


def pack(cases: list[dict]) -> dict:
    """The tensors of all cases in two, and where each of them is."""
    parts: dict[str, list[Tensor]] = {"floats": [], "integers": []}
    for case in cases:
        for name, value in case["tensors"].items():
            kind = "floats" if value.is_floating_point() else "integers"
            dtype = str(value.dtype).removeprefix("torch.")
            case["tensors"][name] = (kind, sum(map(len, parts[kind])), dtype, tuple(value.shape))
            parts[kind].append(value.flatten().to(torch.float32 if kind == "floats" else torch.int64))
    return {"cases": cases, **{kind: torch.cat(found) for kind, found in parts.items()}}


def unpack(packed: dict) -> list[dict]:
    """The inverse of :func:`pack`."""
    for case in packed["cases"]:
        for name, (kind, first, dtype, shape) in case["tensors"].items():
            size = torch.Size(shape).numel()
            value = packed[kind][first : first + size].view(shape).to(getattr(torch, dtype))
            case["tensors"][name] = value.clone()
    return packed["cases"]


if __name__ == "__main__":
    found = []
    for name, options, updates in CASES:
        bottleneck = build(name, options)
        train(bottleneck, updates)
        state = {f"state.{key}": value.detach() for key, value in bottleneck.state_dict().items()}
        with torch.no_grad():
            output = bottleneck.eval()(*batch(99))
        tensors = state | {"codes": output.codes, "quantized": output.quantized}
        found.append({"name": name, "options": options, "updates": updates, "tensors": tensors})
        print(f"{name} {options}: {updates} updates, started {bottleneck.started}, {len(output.codes.unique())} codes")
    torch.save(pack(found), FILE)
    print(f"{FILE}: {FILE.stat().st_size} bytes")
