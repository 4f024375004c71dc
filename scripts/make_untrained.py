#!/usr/bin/env python3
"""Checkpoints of untrained models, for timing: one for each entry of a YAML file of fairseq-train options.

scripts/make_untrained.py data/newstest/bin --models examples/latency/models.yaml --out runs/latency
"""

import argparse
import logging
from pathlib import Path

import checkout  # noqa: F401  (the checkout's packages and .venv)

logging.disable(logging.INFO)  # fairseq logs when it is imported

from vqnat.benchmarking.engines.untrained import read_models, save_untrained  # noqa: E402
from vqnat.errors import UserError, run_command  # noqa: E402


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, metavar="DATA_BIN", help="folder written by fairseq-preprocess --destdir")
    parser.add_argument(
        "--models", type=Path, required=True, metavar="FILE.yaml", help="mapping from names to fairseq-train options"
    )
    parser.add_argument("--only", nargs="+", metavar="NAME", help="make only these models")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder to write NAME.pt to")
    parser.add_argument("--seed", type=int, default=1, help="seed of the weights (default: 1)")
    args = parser.parse_args()
    models = read_models(args.models)
    if unknown := set(args.only or ()) - models.keys():
        raise UserError(f"--only {sorted(unknown)[0]}: not in {args.models}; there are {', '.join(models)}")
    if not args.data.is_dir():
        raise UserError(f"{args.data}: no such folder (DATA_BIN is what fairseq-preprocess --destdir wrote)")
    for name in args.only or models:
        count = save_untrained(models[name], args.data, args.out / f"{name}.pt", args.seed)
        print(f"make_untrained: {args.out / name}.pt, {count:,} parameters", flush=True)


if __name__ == "__main__":
    run_command("make_untrained", main)
