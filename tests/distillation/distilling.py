"""The distillation command line on a small bitext, in a process of its own or in this one."""

import contextlib
import io
import sys
from argparse import Namespace
from pathlib import Path
from typing import NamedTuple

import bitext
import torch

from vqnat.commands.distill import main

DISTILL = [sys.executable, str(bitext.REPO / "scripts" / "distill.py")]


class Outcome(NamedTuple):
    """How a command line ended."""

    returncode: int
    stderr: str


def command(root: Path, out: Path, *extra: object, teacher: str = "teacher.pt") -> list[str]:
    """The command line on the shared data; batches of 10 sentences or fewer, so that there are many."""
    words = [*DISTILL, root / "bin", "--path", root / teacher, "--out", out, "--max-tokens", 40, "--cpu"]
    return [str(word) for word in [*words, "--threads", 1, *extra]]


def distill_here(root: Path, out: Path, *extra: object, teacher: str = "teacher.pt") -> Outcome:
    """Run the command line in this process, which saves the imports."""
    with contextlib.redirect_stderr(io.StringIO()) as stderr:
        status = main(command(root, out, *extra, teacher=teacher)[len(DISTILL) :])
    return Outcome(status, stderr.getvalue())


def write_short_teacher(root: Path) -> None:
    """short.pt: teacher.pt, but for sources of 6 tokens or fewer (its positions have no weights)."""
    state = torch.load(root / "teacher.pt", weights_only=True)
    for part in ("task", "model"):
        settings = state["cfg"][part]
        settings = vars(settings) if isinstance(settings, Namespace) else settings
        settings["max_source_positions"] = 6
    torch.save(state, root / "short.pt")


def files(folder: Path) -> dict[str, bytes]:
    """Name and content of every file in a result but the manifest."""
    return {p.name: p.read_bytes() for p in sorted(folder.iterdir()) if p.name != "distillation.json"}
