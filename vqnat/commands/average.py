"""``vqnat average``: average checkpoints, with the options of fairseq's script of that name, on current torch."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from vqnat.errors import UserError
from vqnat.silence import silence_imports
from vqnat_serving.arguments import CommandParser, at_least
from vqnat_serving.console import run_program

KINDS = ("epoch", "update", "best", "last")
EXAMPLE = """\
example
  vqnat average --inputs checkpoints --num-epoch-checkpoints 10 --output checkpoints/average.pt
"""


def parser() -> CommandParser:
    """All options."""
    p = CommandParser("vqnat average", "Averages the checkpoints of one training.", EXAMPLE, extra="train")
    p.add_argument(
        "--inputs", type=Path, nargs="+", required=True, metavar="PATH", help="checkpoint files, or one --save-dir"
    )
    p.add_argument("--output", type=Path, required=True, metavar="FILE.pt", help="file to write")
    for kind, text in (
        ("epoch", "average the last N epochs of a --save-dir"),
        ("update", "average the last N of --save-interval-updates"),
        ("best", "average the best N of --keep-best-checkpoints"),
        ("last", "average the last N of --save-interval-updates or, where there are fewer, of epochs"),
    ):
        p.add_argument(f"--num-{kind}-checkpoints", type=at_least(1), metavar="N", help=text)
    p.add_argument("--checkpoint-upper-bound", type=int, metavar="N", help="the last epoch or update to take")
    return p


def main(argv: Sequence[str] | None = None) -> int:
    """Write the average."""
    return run_program(parser(), _average, argv)


def _average(options: argparse.Namespace) -> None:
    counts = {kind: getattr(options, f"num_{kind}_checkpoints") for kind in KINDS}
    asked = {kind: count for kind, count in counts.items() if count is not None}
    if len(asked) > 1:
        given = " ".join(f"--num-{kind}-checkpoints {count}" for kind, count in asked.items())
        raise UserError(f"{given}: give one of them")
    for kind in ("best", "last"):
        if kind in asked and options.checkpoint_upper_bound is not None:
            upper = options.checkpoint_upper_bound
            raise UserError(f"--checkpoint-upper-bound {upper}: not with --num-{kind}-checkpoints")
    if asked and len(options.inputs) != 1:
        raise UserError(
            f"--inputs: {len(options.inputs)} given; --num-{next(iter(asked))}-checkpoints needs one folder"
        )
    silence_imports()
    from vqnat.checkpoints.averaging import (
        average_checkpoints,
        best_checkpoints,
        last_checkpoints,
        newest_checkpoints,
        save_checkpoint,
    )

    paths = options.inputs
    for kind, count in asked.items():
        if kind == "best":
            paths = best_checkpoints(options.inputs[0], count)
        elif kind == "last":
            paths = last_checkpoints(options.inputs[0], count)
        else:
            paths = newest_checkpoints(options.inputs[0], count, kind, options.checkpoint_upper_bound)
    save_checkpoint(average_checkpoints(paths), options.output)
    print(f"average of {len(paths)}: {', '.join(path.name for path in paths)} -> {options.output}")


if __name__ == "__main__":
    sys.exit(main())
