"""The fp32 copy that fairseq's fp16 and bf16 optimizers keep of every parameter and write back to the model."""

from collections.abc import Iterable

import torch
from torch import nn


def write_through(optimizer: object, parameters: Iterable[nn.Parameter]) -> None:
    """Copy parameters that were changed by anything but the optimizer into its fp32 copy, if it keeps one.

    Without this, the next step would undo the initialization of a codebook or a replaced code. Parameters in half
    precision are skipped, as their copy is more precise.

    Args:
        optimizer: any fairseq optimizer.
        parameters: of the changed module.
    """
    copies = getattr(optimizer, "fp32_params", None)
    if copies is None:
        return
    changed = {id(p) for p in parameters if p.dtype == torch.float32}
    with torch.no_grad():
        if isinstance(copies, dict):  # device -> all its parameters, concatenated
            for device, copy in copies.items():
                offset = 0
                for p in (p for p in optimizer.fp16_params if p.device.index == device):
                    if id(p) in changed:
                        copy[offset : offset + p.numel()] = p.reshape(-1)
                    offset += p.numel()
        else:
            for p, copy in zip(optimizer.fp16_params, copies, strict=True):
                if id(p) in changed:
                    copy.copy_(p)
