"""How the gradient passes the discrete step."""

import torch
from torch import Tensor

SHORTEST = 1e-6  # below this length a vector has no direction


def straight_through(z: Tensor, quantized: Tensor) -> Tensor:
    """The quantized vector forward, the gradient of z backward: z + sg(q - z) (Bengio et al. 2013)."""
    return z + (quantized - z).detach()


def rotate(z: Tensor, quantized: Tensor) -> Tensor:
    """The quantized vector forward, the gradient rotated and scaled backward (Fifty et al. 2024, eqs. 4-5).

    q = s R z with s = ||q|| / ||z|| and R the rotation from z' = z / ||z|| to q' = q / ||q|| in their plane,

        R = I - 2 r r^T + 2 q' z'^T,   r = (z' + q') / ||z' + q'||,

    both taken as constants, so that the gradient of z is s R^T times that of q.

    Args:
        z: (N, D) float32; where a vector has no length, R = I and s = 1: straight-through.
        quantized: (N, D) float32.
    """
    with torch.no_grad():
        length = z.norm(dim=-1, keepdim=True)  # (N, 1)
        target = quantized.norm(dim=-1, keepdim=True)
        unit = z / length.clamp(min=SHORTEST)  # (N, D), z'
        aim = quantized / target.clamp(min=SHORTEST)  # (N, D), q'
        middle = unit + aim
        middle = middle / middle.norm(dim=-1, keepdim=True).clamp(min=SHORTEST)  # (N, D), r
        scale = target / length.clamp(min=SHORTEST)  # (N, 1)
    along_middle, along_unit = ((z * axis).sum(-1, keepdim=True) for axis in (middle, unit))
    rotated = scale * (z - 2 * along_middle * middle + 2 * along_unit * aim)  # (N, D)
    directed = (length > SHORTEST) & (target > SHORTEST)
    # The value is set exactly; the formula gives it only up to rounding, and not for opposite vectors.
    return straight_through(torch.where(directed, rotated, z), quantized)


ESTIMATORS = {"straight_through": straight_through, "rotation": rotate}
