"""A linear map that trains fast on a CPU.

torch hands fp32 matrix products to MKL, which does not use the widest instructions of every processor; oneDNN does.
Measured on one core of an AMD EPYC, forward and backward of 512 x 2048 with 1500 rows: 50 ms instead of 100.
(:mod:`vqnat.kernels.packed_linear` is for inference: it also keeps a weight's layout between calls.)
"""

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

LEAST = 2**22  # multiplications of a product: a call of oneDNN costs some 30 microseconds more


def linear_reference(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """x W^T + b."""
    return F.linear(x, weight, bias)


class Linear(nn.Linear):
    """As ``nn.Linear``; large products in fp32 on a CPU are oneDNN's, forward and backward."""

    __call__: Callable[..., Tensor]

    def forward(self, x: Tensor) -> Tensor:
        """(..., in) -> (..., out)"""
        if _suits_onednn(x, self.weight):
            product: Tensor = _OneDnnLinear.apply(x, self.weight, self.bias)
            return product
        return linear_reference(x, self.weight, self.bias)


def onednn_product(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """As :func:`linear_reference`, by oneDNN; no gradient."""
    # The operator that torch.compile itself puts in place of linear maps; it has no public name.
    product: Tensor = torch.ops.mkldnn._linear_pointwise(x, weight, bias, "none", [], "")
    return product


class _OneDnnLinear(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        ctx.save_for_backward(x, weight)
        return onednn_product(x, weight, bias)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
        x, weight = ctx.saved_tensors
        rows = grad.flatten(0, -2)  # (N, out)
        wanted = ctx.needs_input_grad
        return (
            onednn_product(grad, weight.t()) if wanted[0] else None,
            onednn_product(rows.t(), x.flatten(0, -2).t()) if wanted[1] else None,
            rows.sum(0) if wanted[2] else None,
        )


def _suits_onednn(x: Tensor, weight: Tensor) -> bool:
    # A graph that is compiled or exported must hold for all sizes, so none may be looked at there.
    return (
        not torch.compiler.is_compiling()
        and x.device.type == "cpu"
        and x.dtype == weight.dtype == torch.float32
        and x.dim() > 1
        and x.numel() * len(weight) >= LEAST
        and torch.backends.mkldnn.is_available()
        and not torch.is_autocast_enabled("cpu")  # bfloat16 is oneDNN's anyway
    )
