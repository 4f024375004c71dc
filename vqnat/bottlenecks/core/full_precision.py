"""Modules that stay in fp32 when the model around them is cast."""

from collections.abc import Callable
from typing import TypeVar

import torch
from torch import Tensor, nn

M = TypeVar("M", bound=nn.Module)


def full_precision(cls: type[M]) -> type[M]:
    """Class decorator: ``half()``, ``bfloat16()`` and ``double()`` leave a module's own parameters and buffers in fp32.

    Moving counts of thousands, small steps of a codebook and distances between close codes need fp32. Moves
    between devices work as always, and so do casts of submodules. Subclasses inherit it.
    """
    cast = cls._apply

    def _apply(self: M, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> M:
        before: dict[str, Tensor] = {n: p.detach() for n, p in self._parameters.items() if p is not None}
        before |= {n: b for n, b in self._buffers.items() if b is not None}
        cast(self, fn, recurse)
        for name, old in before.items():
            new = self.get_parameter(name) if name in self._parameters else self.get_buffer(name)
            if not old.is_floating_point() or new.dtype == old.dtype:
                continue
            if name in self._buffers:
                self._buffers[name] = old.to(new.device)
            else:
                gradient = None if new.grad is None else new.grad.to(old.dtype)
                new.grad = None  # torch refuses another dtype while a gradient is there
                new.data = old.to(new.device)
                new.grad = gradient
        return self

    setattr(cls, "_apply", _apply)  # noqa: B010  (to type checkers a method is constant)
    return cls


@full_precision
class FullPrecisionLinear(nn.Linear):
    """A linear layer computed in fp32: for logits and coordinates that decide on a code."""

    def forward(self, x: Tensor) -> Tensor:
        """x (..., in) of any floating dtype -> (..., out) float32."""
        with torch.autocast(x.device.type, enabled=False):
            return super().forward(x.float())
