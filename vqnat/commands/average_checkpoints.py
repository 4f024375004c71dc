"""Average checkpoints, with the options of fairseq's script of the same name, on current torch.

scripts/average_checkpoints.py --inputs checkpoints --num-epoch-checkpoints 10 --output checkpoints/average.pt
"""

import argparse
from pathlib import Path

from vqnat.checkpoints.averaging import average_checkpoints, best_checkpoints, newest_checkpoints, save_checkpoint
from vqnat.errors import UserError, run_command


def main() -> None:
    """Write the average. Raises UserError."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--inputs", type=Path, nargs="+", required=True, help="checkpoint files, or one --save-dir")
    parser.add_argument("--output", type=Path, required=True, help="file to write")
    parser.add_argument("--num-epoch-checkpoints", type=int, help="average the last N epochs of a --save-dir")
    parser.add_argument("--num-update-checkpoints", type=int, help="average the last N --save-interval-updates")
    parser.add_argument("--num-best-checkpoints", type=int, help="average the best N of --keep-best-checkpoints")
    parser.add_argument("--checkpoint-upper-bound", type=int, help="the last epoch or update to take")
    args = parser.parse_args()
    counts = {"epoch": args.num_epoch_checkpoints, "update": args.num_update_checkpoints}
    counts["best"] = args.num_best_checkpoints
    asked = [(kind, count) for kind, count in counts.items() if count is not None]
    paths = args.inputs
    if len(asked) > 1:
        raise UserError("give one of --num-epoch-checkpoints, --num-update-checkpoints, --num-best-checkpoints")
    if args.num_best_checkpoints and args.checkpoint_upper_bound is not None:
        raise UserError(f"--checkpoint-upper-bound {args.checkpoint_upper_bound}: not with --num-best-checkpoints")
    for kind, count in asked:
        if count < 1:
            raise UserError(f"--num-{kind}-checkpoints {count}: needed 1 or more")
        if len(args.inputs) != 1:
            raise UserError(f"--num-{kind}-checkpoints needs exactly one folder in --inputs, not {len(args.inputs)}")
        folder = args.inputs[0]
        if kind == "best":
            paths = best_checkpoints(folder, count)
        else:
            paths = newest_checkpoints(folder, count, kind, args.checkpoint_upper_bound)
    save_checkpoint(average_checkpoints(paths), args.output)
    print(f"average of {len(paths)}: {', '.join(path.name for path in paths)} -> {args.output}")


if __name__ == "__main__":
    run_command("average_checkpoints", main)
