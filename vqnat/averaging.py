"""The average of several checkpoints of one training.

Weights are averaged one by one. An EMA codebook's state is its counts and sums, so their averages are taken and
the code vectors follow when the checkpoint is loaded.
"""

import os
import re
from pathlib import Path

import torch

from vqnat.errors import UserError
from vqnat.safe_loading import allow_fairseq_checkpoints

_NAMES = {"epoch": re.compile(r"checkpoint(\d+)\.pt"), "update": re.compile(r"checkpoint_\d+_(\d+)\.pt")}
_BEST = re.compile(r"checkpoint\.best_.+_(\d+\.?\d*)\.pt")  # fairseq's --keep-best-checkpoints; the metric's value


def newest_checkpoints(folder: Path, count: int, kind: str, upper: int | None = None) -> list[Path]:
    """The ``count`` newest of ``checkpointE.pt`` (kind epoch) or ``checkpoint_E_U.pt`` (kind update) in a folder.

    Args:
        folder: a ``--save-dir``.
        count: how many.
        kind: "epoch" or "update".
        upper: the last epoch or update that may be taken.

    Raises:
        UserError: there are fewer.
    """
    if not folder.is_dir():
        raise UserError(f"--inputs {folder}: no such folder")
    numbered = sorted(
        (int(match.group(1)), path)
        for path in folder.iterdir()
        if (match := _NAMES[kind].fullmatch(path.name)) and (upper is None or int(match.group(1)) <= upper)
    )
    if len(numbered) < count:
        raise UserError(f"--num-{kind}-checkpoints {count}: {folder} has only {len(numbered)} {kind} checkpoints")
    return [path for _, path in numbered[-count:]]


def best_checkpoints(folder: Path, count: int) -> list[Path]:
    """The ``count`` best of those that ``--keep-best-checkpoints`` left in a ``--save-dir``, by their metric.

    Raises:
        UserError: there are fewer, or one cannot be read.
    """
    if not folder.is_dir():
        raise UserError(f"--inputs {folder}: no such folder")
    valued = sorted((float(match[1]), path) for path in folder.iterdir() if (match := _BEST.fullmatch(path.name)))
    if len(valued) < count:
        raise UserError(f"--num-best-checkpoints {count}: {folder} has only {len(valued)} of --keep-best-checkpoints")
    paths = [path for _, path in valued]
    higher = load_checkpoint(paths[-1])["cfg"]["checkpoint"]["maximize_best_checkpoint_metric"]
    return paths[-count:] if higher else paths[:count]


def load_checkpoint(path: Path) -> dict:
    """A checkpoint on the CPU, nothing but tensors and plain containers unpickled.

    Raises:
        UserError: the file is missing or cannot be read.
    """
    if not path.is_file():
        raise UserError(f"{path}: no such checkpoint")
    allow_fairseq_checkpoints()
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise UserError(f"{path}: not a readable checkpoint ({type(error).__name__})") from error


def average_checkpoints(paths: list[Path]) -> dict:
    """A checkpoint like the last of ``paths`` with the mean of all their model states.

    Raises:
        UserError: the checkpoints hold different parameters.
    """
    totals: dict[str, torch.Tensor] = {}
    state = {}
    for path in paths:
        state = load_checkpoint(path)
        model = state["model"]
        if totals and model.keys() != totals.keys():
            differing = sorted(model.keys() ^ totals.keys())
            raise UserError(f"{path}: other parameters than {paths[0]}: {', '.join(differing[:5])}")
        for name, value in model.items():
            if not value.is_floating_point() or name.endswith("_extra_state"):
                totals[name] = value  # counters, flags, collected vectors: those of the last
            elif name in totals and totals[name].shape != value.shape:
                raise UserError(f"{path}: {name} is {tuple(value.shape)}, in {paths[0]} {tuple(totals[name].shape)}")
            else:
                # float64: the sum of many fp16 weights must not lose what each adds
                totals[name] = totals.get(name, 0) + value.double()
    for name, value in state["model"].items():
        if value.is_floating_point() and not name.endswith("_extra_state"):
            state["model"][name] = (totals[name] / len(paths)).to(value.dtype)
    return state


def save_checkpoint(state: dict, path: Path) -> None:
    """Write a checkpoint whole or not at all."""
    temporary = path.with_name(path.name + ".tmp")
    torch.save(state, temporary)
    os.replace(temporary, path)
