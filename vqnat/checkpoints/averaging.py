"""The average of several checkpoints of one training run.

Each weight is averaged on its own. An EMA codebook's state is its counts and sums: these are averaged, and the code
vectors follow when the checkpoint is loaded.
"""

import re
from pathlib import Path

import torch

from vqnat.checkpoints.fairseq_files import save
from vqnat.checkpoints.reading import read_checkpoint
from vqnat.errors import UserError

_NAMES = {"epoch": re.compile(r"checkpoint(\d+)\.pt"), "update": re.compile(r"checkpoint_\d+_(\d+)\.pt")}
_BEST = re.compile(r"checkpoint\.best_.+_(\d+\.?\d*)\.pt")  # of --keep-best-checkpoints; the value of the metric


def newest_checkpoints(folder: Path, count: int, kind: str, upper: int | None = None) -> list[Path]:
    """The ``count`` newest of ``checkpointE.pt`` (kind epoch) or ``checkpoint_E_U.pt`` (kind update) in a folder.

    Args:
        folder: a ``--save-dir``.
        count: number of checkpoints.
        kind: "epoch" or "update".
        upper: the last epoch or update to consider.

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


def last_checkpoints(folder: Path, count: int) -> list[Path]:
    """The ``count`` newest checkpoints of updates or, if there are fewer, of epochs.

    fairseq writes no update checkpoint at the end of an epoch, so a small corpus may have none.

    Raises:
        UserError: there are fewer of both.
    """
    return newest_checkpoints(
        folder, count, "update" if len(list(folder.glob("checkpoint_*_*.pt"))) >= count else "epoch"
    )


def best_checkpoints(folder: Path, count: int) -> list[Path]:
    """The ``count`` best checkpoints that ``--keep-best-checkpoints`` left in a ``--save-dir``, by their metric.

    Raises:
        UserError: there are fewer, or one cannot be read.
    """
    if not folder.is_dir():
        raise UserError(f"--inputs {folder}: no such folder")
    valued = sorted((float(match[1]), path) for path in folder.iterdir() if (match := _BEST.fullmatch(path.name)))
    if len(valued) < count:
        raise UserError(f"--num-best-checkpoints {count}: {folder} has only {len(valued)} of --keep-best-checkpoints")
    paths = [path for _, path in valued]
    higher = read_checkpoint(paths[-1])["cfg"]["checkpoint"]["maximize_best_checkpoint_metric"]
    return paths[-count:] if higher else paths[:count]


def average_checkpoints(paths: list[Path]) -> dict:
    """The last of ``paths`` with its model state replaced by the mean of all.

    Raises:
        UserError: the checkpoints hold different parameters.
    """
    totals: dict[str, torch.Tensor] = {}
    state = {}
    for path in paths:
        state = read_checkpoint(path)
        model = state["model"]
        if totals and model.keys() != totals.keys():
            differing = sorted(model.keys() ^ totals.keys())
            raise UserError(f"{path}: other parameters than {paths[0]}: {', '.join(differing[:5])}")
        for name, value in model.items():
            if not value.is_floating_point() or name.endswith("_extra_state"):
                totals[name] = value  # counters, flags, collected vectors: as in the last
            elif name in totals and totals[name].shape != value.shape:
                raise UserError(f"{path}: {name} is {tuple(value.shape)}, in {paths[0]} {tuple(totals[name].shape)}")
            else:
                # in float64: a sum of many fp16 weights would lose small terms
                totals[name] = totals.get(name, 0) + value.double()
    for name, value in state["model"].items():
        if value.is_floating_point() and not name.endswith("_extra_state"):
            state["model"][name] = (totals[name] / len(paths)).to(value.dtype)
    return state


def save_checkpoint(state: dict, path: Path) -> None:
    """Write a checkpoint atomically. Raises UserError."""
    save(state, path)
