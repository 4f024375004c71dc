"""Linear layers for CPU inference, weights prepacked once in oneDNN's layout.

As :mod:`vqnat.kernels.linear`, without packing the weights on every call. Measured on one core of an AMD EPYC
(512 x 2048), still in fp32: 2.3 times faster than MKL with 32 rows, 1.8 times with one. The reference of all of them is
:func:`vqnat.kernels.linear.linear_reference`.
"""

import warnings
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vqnat.kernels.linear import Linear, onednn_product

LEAST = 2**17  # weights of a layer: a call of oneDNN costs 10 microseconds more, which smaller ones do not earn back


class PackedLinear(nn.Module):
    """A linear map (..., in) -> (..., out) in the precision of its weight (out, in).

    For inference only, as everything in this module: nothing here can be trained, saved or moved.
    """

    def __init__(self, weight: Tensor, bias: Tensor | None):
        super().__init__()
        # What torch.compile itself does with constant weights; it has no public name.
        self._weight = torch.ops.mkldnn._reorder_linear_weight(weight.detach().contiguous(), None)
        self._bias = None if bias is None else bias.detach()

    def forward(self, x: Tensor) -> Tensor:
        """(..., in) -> (..., out)"""
        return onednn_product(x, self._weight, self._bias)


class Int8Linear(nn.Module):
    """A linear map with weights in int8, a scale for each output, and activations in int8, one scale per call.

    That one scale makes a sentence's output depend on its batch.

    ``torch.quantize_per_channel`` and the packed product are deprecated in favor of torchao. They stay because torchao
    would be one more dependency, tied to torch's version, for this one class, and because its int8 products on a CPU go
    through torch.compile, which takes minutes before the first sentence; this product needs neither.
    """

    def __init__(self, weight: Tensor, bias: Tensor | None):
        super().__init__()
        weight = weight.detach().float()
        scales = weight.abs().amax(1).clamp(min=1e-8) / 127  # (out,)
        zeros = torch.zeros(len(scales), dtype=torch.long)
        with warnings.catch_warnings():
            # Of the deprecation, with which a user can do nothing; other warnings are shown.
            warnings.filterwarnings("ignore", r"torch\.quantize_per_tensor, torch\.quantize_per_channel", UserWarning)
            quantized = torch.quantize_per_channel(weight, scales, zeros, 0, torch.qint8)
        self._packed = torch.ops.quantized.linear_prepack(quantized, None if bias is None else bias.detach().float())
        # Without VNNI x86 processors add two products in 16 bits: with seven bits an activation these always fit.
        self._reduce_range = torch.backends.quantized.engine != "qnnpack" and not torch.cpu._is_vnni_supported()

    def forward(self, x: Tensor) -> Tensor:
        """(..., in) -> (..., out)"""
        product: Tensor = torch.ops.quantized.linear_dynamic(x, self._packed, self._reduce_range)
        return product


class NeighborLinear(nn.Module):
    """A convolution (B, D, T) -> (B, D', T) of odd width as a linear map of neighbors put side by side."""

    def __init__(self, linear: nn.Module, width: int):
        super().__init__()
        self.linear, self.width = linear, width

    def forward(self, x: Tensor) -> Tensor:
        """(B, D, T) -> (B, D', T)"""
        reach = self.width // 2
        windows = F.pad(x.transpose(1, 2), (0, 0, reach, reach)).unfold(1, self.width, 1)  # (B, T, D, width)
        product: Tensor = self.linear(windows.flatten(2))
        return product.transpose(1, 2)


def can_pack(weight: Tensor) -> bool:
    """Whether layers with such weights can be packed on this machine."""
    if weight.device.type != "cpu" or not torch.backends.mkldnn.is_available():
        return False
    if weight.dtype == torch.bfloat16:  # needs AVX-512 on x86
        return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
    return weight.dtype == torch.float32


def pack(
    module: nn.Module,
    linear: Callable[[Tensor, Tensor | None], nn.Module] = PackedLinear,
    least: int = LEAST,
) -> nn.Module:
    """Replace the linear layers and convolutions in ``module`` that can be, and ``module`` itself when it is one.

    Args:
        module: changed in place.
        linear: :class:`PackedLinear` or :class:`Int8Linear`.
        least: layers with fewer weights are left alone.

    Returns:
        ``module`` or what takes its place.
    """
    if type(module) in (nn.Linear, Linear):  # and nothing derived from them
        assert isinstance(module, nn.Linear)
        large = module.weight.numel() >= least and can_pack(module.weight)
        return linear(module.weight, module.bias) if large else module
    if type(module) is nn.Conv1d:
        if module.weight.numel() < least or not can_pack(module.weight):
            return module
        [width] = module.kernel_size
        plain = (module.stride, module.dilation, module.padding, module.groups) == ((1,), (1,), (width // 2,), 1)
        if not (plain and width % 2):
            return module
        return NeighborLinear(linear(module.weight.flatten(1), module.bias), width)
    for name, child in module.named_children():
        setattr(module, name, pack(child, linear, least))
    return module
