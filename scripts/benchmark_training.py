#!/usr/bin/env python3
"""Target tokens per second in training: systems in turn on the same batches, updates by fairseq's trainer.

scripts/benchmark_training.py data/newstest/bin --systems examples/latency/training.yaml --json training.json
"""

import argparse
import logging
import os
import sys
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
logging.disable(logging.INFO)  # what fairseq says when it is imported
warnings.filterwarnings("ignore", category=UserWarning)  # of hydra, and of torch about fairseq

import torch  # noqa: E402
from tabulate import tabulate  # noqa: E402

from vqnat.benchmarking.training import TrainingSystem, measure, records, use_device  # noqa: E402
from vqnat.benchmarking.untrained import read_models  # noqa: E402
from vqnat.errors import UserError, run_command  # noqa: E402
from vqnat.records.results import provenance, write_json  # noqa: E402


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, metavar="DATA_BIN", help="what fairseq-preprocess --destdir wrote")
    parser.add_argument("--systems", type=Path, required=True, metavar="FILE.yaml", help="name: options, one a line")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="some of them")
    parser.add_argument("--baseline", metavar="NAME", help="what ratios are to (default: the first)")
    parser.add_argument("--subset", default="train", help="split (default: train)")
    parser.add_argument("--max-tokens", type=int, default=4096, help="of a batch, on either side (default: 4096)")
    parser.add_argument("--batches", type=int, default=8, help="at even distances by length (default: 8)")
    parser.add_argument("--repeats", type=int, default=5, help="rounds over all batches (default: 5)")
    parser.add_argument("--warmup", type=int, default=1, help="untimed updates a system (default: 1)")
    parser.add_argument("--threads", type=int, default=1, help="of torch (default: 1)")
    parser.add_argument("--device", choices=("cpu", "cuda"), help="default: cuda when there is one")
    parser.add_argument("--seed", type=int, default=1, help="of weights and of the order")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures")
    args = parser.parse_args()
    for name in ("max_tokens", "batches", "repeats", "threads"):
        if getattr(args, name) < 1:
            raise UserError(f"--{name.replace('_', '-')} {getattr(args, name)}: needed 1 or more")
    words = read_models(args.systems)
    names = args.only or list(words)
    baseline = args.baseline or names[0]
    for name in [*names, baseline]:
        if name not in words:
            raise UserError(f"{name}: not in {args.systems}; there are {', '.join(words)}")
    if baseline not in names:
        raise UserError(f"--baseline {baseline}: not among --only {' '.join(names)}")
    if not list(args.data.glob(f"{args.subset}.*.idx")):
        raise UserError(f"--subset {args.subset}: not in {args.data} (DATA_BIN is what fairseq-preprocess wrote)")

    torch.set_num_threads(args.threads)
    device = use_device(args.device)
    systems = [TrainingSystem(name, words[name], args.data, args.subset, device, args.seed) for name in names]
    batches = systems[0].batches(args.max_tokens)
    count = min(args.batches, len(batches))
    chosen = [batches[(2 * n + 1) * len(batches) // (2 * count)] for n in range(count)]
    load = os.getloadavg()[0]
    found = measure(systems, chosen, args.repeats, args.warmup, args.seed, say)
    result = {
        "baseline": baseline,
        "device": device,
        "threads": args.threads,
        "max_tokens": args.max_tokens,
        "repeats": args.repeats,
        "load_average": {"before": load, "after": os.getloadavg()[0]},
        "batches": [len(batch) for batch in chosen],
        "padding": systems[0].padding(batches),
        "systems": records(systems, found, baseline),
    }
    rows = [
        {
            "system": system["name"],
            "target tokens/s": f"{system['tokens_per_second']:.0f}",
            f"of {baseline}'s": f"{system['ratio']:.2f}",
            "rounds": "{0:.2f}..{2:.2f}".format(*system["ratio_rounds"]),
            "parameters": f"{system['parameters']:,}",
        }
        for system in result["systems"]
    ]
    print(tabulate(rows, headers="keys", disable_numparse=True))
    if args.json:
        files = {path.name: path for path in sorted(args.data.glob(f"{args.subset}.*.bin"))}
        write_json(args.json, result | provenance(args.seed, files | {args.systems.name: args.systems}))


def say(line: str) -> None:
    print(f"benchmark_training: {line}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    run_command("benchmark_training", main)
