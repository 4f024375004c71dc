"""How the gradient passes the discrete step."""

from torch import Tensor


def straight_through(z: Tensor, quantized: Tensor) -> Tensor:
    """The quantized vector forward, the gradient of z backward: z + sg(q - z) (Bengio et al. 2013)."""
    return z + (quantized - z).detach()
