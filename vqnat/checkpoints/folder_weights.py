"""Weights of a model folder: ``model.safetensors``, in which equal tables are kept once."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from vqnat.errors import UserError


def save_weights(weights: Mapping[str, Tensor], path: Path) -> None:
    """Write a state dict.

    A checkpoint repeats a table that several parts of a model share (``--share-all-embeddings``). It is written under
    one of its names; the file's metadata maps each of the others to that name, as safetensors' ``save_model`` does.
    """
    kept: dict[str, Tensor] = {}
    others: dict[str, str] = {}
    names: dict[object, str] = {}  # of what a tensor holds
    for name, tensor in sorted(weights.items()):
        whole = tensor.detach().cpu().contiguous()
        first = names.setdefault(_content(whole), name) if whole.ndim >= 2 else name
        if first == name:
            kept[name] = whole.clone()  # safetensors refuses tensors that share memory
        else:
            others[name] = first
    # Not save_file, whose files nobody else may read.
    path.write_bytes(save(kept, metadata={"format": "pt", **others}))


def read_weights(path: Path) -> dict[str, Tensor]:
    """The state dict that :func:`save_weights` wrote. Raises UserError for any other file."""
    try:
        with safe_open(path, framework="pt") as file:
            weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  (not a mapping)
            others = {name: first for name, first in (file.metadata() or {}).items() if name != "format"}
        return weights | {name: weights[first] for name, first in others.items()}
    except (SafetensorError, OSError, KeyError) as error:
        raise UserError(f"{path}: not readable weights ({type(error).__name__})") from error


def _content(tensor: Tensor) -> tuple[torch.dtype, torch.Size, bytes]:
    raw = tensor.view(torch.uint8).numpy() if tensor.numel() else b""
    return tensor.dtype, tensor.shape, hashlib.sha256(raw).digest()
