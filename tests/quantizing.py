"""Small bottlenecks, batches with pads, and the comparison of a bottleneck with a literal reference in float64."""

from collections.abc import Callable
from types import SimpleNamespace

import torch
from torch import Tensor

from vqnat.bottlenecks import Bottleneck, bottleneck_fields, bottleneck_names, build_bottleneck

DIM = 6

# One small setting of every registered name, started and without replacement of codes: of these options those it has.
STARTED = {"codebook_start": "random", "dead_code_threshold": 0.0}
TINY = {"codebook_size": 16, "fsq_levels": "4,3", "ema_decay": 0.9, "num_samples": 4, "product_blocks": 2, **STARTED}
SMALL = {name: {k: v for k, v in TINY.items() if k in bottleneck_fields(name)} for name in bottleneck_names()}

# Options that change what a bottleneck computes, each with a name that has them.
VARIANTS = [
    *((name, {}) for name in SMALL),
    ("hard_em", {"codebook_l2": True}),
    ("soft_em", {"estimator": "rotation"}),
    ("vq", {"codebook_l2": True, "estimator": "rotation"}),
    ("vq", {"codebook_affine": 2.0}),
    ("vq", {"codebook_inner_lr": 3.0}),
    ("vq", {"codebook_inner_lr": 3.0, "codebook_affine": 2.0, "codebook_l2": True}),
    ("product", {"product_inner": "soft_em", "num_samples": 3, "product_projection": "projected"}),
    ("product", {"product_inner": "vq", "ema_decay": 0.999, "product_projection": "learned"}),
    ("gm_vq", {"gm_entropy": 3.0}),
    ("sim_vq", {"codebook_l2": True}),
]


def label(variant: tuple[str, dict]) -> str:
    """The id of a variant in pytest's output."""
    name, options = variant
    return "-".join([name, *(f"{key}={value}" for key, value in options.items())])


def small(name: str, seed: int = 1, dim: int = DIM, **options) -> Bottleneck:
    """The small setting of a name, with some options changed."""
    torch.manual_seed(seed)
    return build_bottleneck(name, SimpleNamespace(**(SMALL[name] | options)), dim)


def batch(seed: int = 2, rows: int = 3, length: int = 6, dim: int = DIM) -> tuple[Tensor, Tensor]:
    """Vectors (B, T, D) that need a gradient, and a mask with pads at the end of some rows."""
    generator = torch.Generator().manual_seed(seed)
    z = torch.randn(rows, length, dim, generator=generator)
    mask = torch.ones(rows, length, dtype=torch.bool)
    mask[0, length - 2 :] = mask[-1, 1:] = False
    return z.requires_grad_(), mask


Reference = Callable[[Tensor, dict[str, Tensor]], tuple[Tensor, dict[str, Tensor]]]


def compare(bottleneck: Bottleneck, reference: Reference, rtol: float = 1e-4, atol: float = 1e-5, seed: int = 2):
    """Outputs, losses and all gradients of one batch against a reference.

    Args:
        bottleneck: what is tested.
        reference: from the real vectors (n, D) and the parameters, both float64, to what the decoder reads (n, D)
            and the losses summed over the n positions.
        rtol: relative tolerance.
        atol: absolute tolerance.
        seed: of the batch.

    Returns:
        the bottleneck's output.
    """
    z, mask = batch(seed)
    output = bottleneck(z, mask)
    exact = {name: p.detach().double().requires_grad_() for name, p in bottleneck.named_parameters()}
    exact_z = z.detach().double().requires_grad_()
    quantized, losses = reference(exact_z[mask], exact)

    def close(ours: Tensor, theirs: Tensor, what: str) -> None:
        torch.testing.assert_close(ours.double(), theirs, rtol=rtol, atol=atol, msg=lambda text: f"{what}: {text}")

    close(output.quantized[mask], quantized, "quantized")
    assert not output.quantized[~mask].any()
    assert output.losses.keys() == losses.keys()
    for name, (total, count) in output.losses.items():
        assert count == mask.sum()
        close(total, losses[name], name)

    probe = torch.randn(quantized.shape, generator=torch.Generator().manual_seed(9))
    ours = (output.quantized[mask] * probe).sum() + sum(total for total, _ in output.losses.values())
    theirs = (quantized * probe.double()).sum() + sum(losses.values())
    learned = {name: p for name, p in bottleneck.named_parameters() if p.requires_grad}
    gradients = torch.autograd.grad(ours, [z, *learned.values()], allow_unused=True)
    expected = torch.autograd.grad(theirs, [exact_z, *(exact[name] for name in learned)], allow_unused=True)
    for name, one, two in zip(["z", *learned], gradients, expected, strict=True):
        assert one is not None and two is not None, name
        assert two.any(), f"{name} has no gradient: nothing would be compared"
        close(one, two, f"gradient of {name}")
    return output


def state(bottleneck: Bottleneck) -> dict[str, Tensor]:
    """A copy of the state."""
    return {name: value.clone() for name, value in bottleneck.state_dict().items()}


def same_state(one: dict[str, Tensor], two: dict[str, Tensor], **tolerance: float) -> None:
    """Fails where two states differ."""
    assert one.keys() == two.keys()
    for name in one:
        torch.testing.assert_close(one[name], two[name], msg=lambda text, name=name: f"{name}: {text}", **tolerance)
