"""Codes as bits, most significant first."""

import torch
from torch import Tensor


def to_codes(bits: Tensor) -> Tensor:
    """Bits (..., n) of 0 and 1, of any type, as integers (...) int64 in [0, 2^n)."""
    places = 2 ** torch.arange(bits.shape[-1] - 1, -1, -1, device=bits.device)
    return (bits.long() * places).sum(-1)


def to_bits(codes: Tensor, num_bits: int) -> Tensor:
    """Integers (...) as bits (..., n), float32 0 and 1."""
    places = torch.arange(num_bits - 1, -1, -1, device=codes.device)
    return (codes.unsqueeze(-1) >> places & 1).float()
