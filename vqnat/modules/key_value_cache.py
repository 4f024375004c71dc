"""Keys and values of the positions so far, so that decoding projects each position once.

Self-attention asks a cache to append the next position and reads what comes back. There are two: one that is written in
place, for decoding in torch, and one that is a function of its inputs, for graphs that are exported.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor


class KeyValueCache(Protocol):
    """The cache of one self-attention layer."""

    def append(self, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        """Add key and value (B, H, 1, D / H) of the next position; returns those of all positions (B, H, T, D / H)."""
        ...


@dataclass
class InPlaceCache:
    """Room for all positions, into which ``append`` writes.

    Attributes:
        room: (2, B, H, T_max, D / H), keys and values.
        position: where the next one is written; all before it are.
    """

    room: Tensor
    position: int

    def append(self, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        """As :meth:`KeyValueCache.append`; returns views."""
        self.room[0, :, :, self.position] = key[:, :, 0]
        self.room[1, :, :, self.position] = value[:, :, 0]
        end = self.position + 1
        return self.room[0, :, :, :end], self.room[1, :, :, :end]


@dataclass
class ConcatenatedCache:
    """Grows by concatenation: nothing is written, so that it can be traced.

    Attributes:
        keys, values: (B, H, T, D / H); T may be 0.
    """

    keys: Tensor
    values: Tensor

    def append(self, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        """As :meth:`KeyValueCache.append`."""
        self.keys, self.values = torch.cat([self.keys, key], 2), torch.cat([self.values, value], 2)
        return self.keys, self.values


@dataclass
class StackCache:
    """The in-place caches of all layers of a stack, in one tensor.

    Attributes:
        room: (layers, 2, B, H, T_max, D / H).
    """

    room: Tensor

    @property
    def batch(self) -> int:
        """B."""
        return self.room.shape[2]

    def at(self, position: int) -> Sequence[KeyValueCache]:
        """Each layer's cache, to be extended by ``position``."""
        return [InPlaceCache(layer, position) for layer in self.room]

    def reorder(self, rows: Tensor) -> None:
        """Row i of the batch becomes what row ``rows[i]`` was."""
        self.room = self.room.index_select(2, rows)
