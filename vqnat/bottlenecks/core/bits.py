"""Codes that are bits, most significant first."""

from dataclasses import dataclass

import torch
from torch import Tensor

from vqnat.bottlenecks.core.options import Rule, SizeOptions


@dataclass
class BitsOptions(SizeOptions):
    """The number of codes of a bottleneck whose codes are bits."""

    def rules(self) -> list[Rule]:
        """K must be a power of 2."""
        size = self.codebook_size
        return [Rule("codebook_size", size & (size - 1) == 0, "a power of 2, from 2 to 65536")]

    @property
    def num_bits(self) -> int:
        """log2 K."""
        return self.codebook_size.bit_length() - 1


def to_codes(bits: Tensor) -> Tensor:
    """Bits (..., n) of 0 and 1, of any dtype, as integers (...) int64 in [0, 2^n)."""
    places = 2 ** torch.arange(bits.shape[-1] - 1, -1, -1, device=bits.device)
    return (bits.long() * places).sum(-1)


def to_bits(codes: Tensor, num_bits: int) -> Tensor:
    """Integers (...) as bits (..., n), float32 0 and 1."""
    places = torch.arange(num_bits - 1, -1, -1, device=codes.device)
    return (codes.unsqueeze(-1) >> places & 1).float()
