"""Modules that stay in fp32 when the model around them is cast."""

import torch
from torch import Tensor, nn


class FullPrecision(nn.Module):
    """A module whose own parameters and buffers ``half()``, ``bfloat16()`` and ``double()`` leave as they are.

    Moving counts of thousands, small steps of a codebook and distances between close codes need fp32. Moves
    between devices work as always.
    """

    def _apply(self, fn, recurse=True):
        before = {name: value.detach() for name, value in self._parameters.items() if value is not None}
        before |= {name: value for name, value in self._buffers.items() if value is not None}
        super()._apply(fn, recurse)
        for name, old in before.items():
            new = self._parameters.get(name, self._buffers.get(name))
            if not old.is_floating_point() or new.dtype == old.dtype:
                continue
            if name in self._buffers:
                self._buffers[name] = old.to(new.device)
            else:
                gradient = None if new.grad is None else new.grad.to(old.dtype)
                new.grad = None  # torch refuses another type while a gradient is there
                new.data = old.to(new.device)
                new.grad = gradient
        return self


class FullPrecisionLinear(FullPrecision, nn.Linear):
    """A linear layer computed in fp32: for logits and coordinates that decide on a code."""

    def forward(self, x: Tensor) -> Tensor:
        """x (..., in) of any floating type -> (..., out) float32."""
        with torch.autocast(x.device.type, enabled=False):
            return super().forward(x.float())
