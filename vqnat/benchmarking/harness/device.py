"""The processor that is measured: which device, how many threads, and waiting until it is done."""

from collections.abc import Callable

import torch

from vqnat.errors import UserError


def choose_device(requested: str | None) -> str:
    """``cpu`` or ``cuda``; without a request, ``cuda`` where there is a GPU.

    Raises:
        UserError: a GPU is requested and there is none.
    """
    available = torch.cuda.is_available()
    if requested == "cuda" and not available:
        raise UserError("--device cuda: torch finds no GPU here; use --device cpu")
    return requested or ("cuda" if available else "cpu")


def synchronizer(device: str) -> Callable[[], None]:
    """A function that waits until the device has finished all queued work; on the CPU there is nothing to wait for."""
    return torch.cuda.synchronize if device == "cuda" else lambda: None


def use_threads(count: int) -> None:
    """Set torch's thread count and start the threads now, outside of anybody's timing."""
    if torch.get_num_threads() != count:
        torch.set_num_threads(count)
        torch.ones(256, 256).mm(torch.ones(256, 256))
