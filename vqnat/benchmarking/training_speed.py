"""Training speed, the benchmark behind ``scripts/benchmark_training.py``: systems in turn on the same batches."""

import argparse
import gc
import os
import random
import shlex
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tabulate import tabulate

from vqnat.benchmarking.engines.trainer_system import TrainingSystem
from vqnat.benchmarking.engines.untrained import read_models
from vqnat.benchmarking.harness.device import choose_device
from vqnat.errors import UserError
from vqnat.records.results import provenance, write_json

DESCRIPTION = """Target tokens per second in training: systems in turn on the same batches, steps by fairseq's trainer.

scripts/benchmark_training.py data/newstest/bin --systems examples/latency/training.yaml --json training.json
"""


def parser() -> argparse.ArgumentParser:
    """All options."""
    p = argparse.ArgumentParser(description=DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("data", type=Path, metavar="DATA_BIN", help="folder written by fairseq-preprocess --destdir")
    p.add_argument(
        "--systems", type=Path, required=True, metavar="FILE.yaml", help="mapping from names to fairseq-train options"
    )
    p.add_argument("--only", nargs="+", metavar="NAME", help="measure only these systems")
    p.add_argument("--baseline", metavar="NAME", help="system that ratios are relative to (default: the first)")
    p.add_argument("--subset", default="train", help="split to train on (default: train)")
    p.add_argument("--max-tokens", type=int, default=4096, help="tokens of a batch, on either side (default: 4096)")
    p.add_argument("--batches", type=int, default=8, help="number of batches, sampled evenly by length (default: 8)")
    p.add_argument("--repeats", type=int, default=5, help="rounds over all batches (default: 5)")
    p.add_argument("--warmup", type=int, default=1, help="untimed updates per system (default: 1)")
    p.add_argument("--threads", type=int, default=1, help="torch threads (default: 1)")
    p.add_argument("--device", choices=("cpu", "cuda"), help="default: cuda if available")
    p.add_argument("--seed", type=int, default=1, help="seed of the weights and of the order (default: 1)")
    p.add_argument("--json", type=Path, metavar="FILE", help="write all figures to this file")
    return p


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print, write.

    Raises:
        UserError: an option is impossible.
    """
    args = parser().parse_args(arguments)
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
    device = choose_device(args.device)
    systems = [TrainingSystem(name, words[name], args.data, args.subset, device, args.seed) for name in names]
    batches = systems[0].batches(args.max_tokens)
    count = min(args.batches, len(batches))
    chosen = [batches[(2 * n + 1) * len(batches) // (2 * count)] for n in range(count)]  # middles of equal parts
    load = os.getloadavg()[0]
    found = measure(systems, chosen, args.repeats, args.warmup, args.seed, _say)
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
    print(table(result))
    if args.json:
        files = {path.name: path for path in sorted(args.data.glob(f"{args.subset}.*.bin"))}
        write_json(args.json, result | provenance(args.seed, files | {args.systems.name: args.systems}))


def measure(
    systems: Sequence[TrainingSystem],
    batches: Sequence[Sequence[int]],
    repeats: int,
    warmup: int,
    seed: int,
    progress: Callable[[str], None] = lambda line: None,
) -> dict[str, list[dict[str, Any]]]:
    """Time every system on every batch, in the order of :func:`vqnat.benchmarking.harness.rounds.measure`.

    Returns:
        system name -> ``seconds`` and ``tokens`` of each round, summed over its batches.
    """
    order = random.Random(seed)
    for number in range(warmup):
        for system in systems:
            system.step(batches[number % len(batches)])
    found: dict[str, list[dict[str, Any]]] = {system.name: [] for system in systems}
    gc.collect()
    gc.disable()  # otherwise one system's garbage might be collected while another is timed
    try:
        for round_ in range(repeats):
            progress(f"round {round_ + 1} of {repeats}")
            for rounds in found.values():
                rounds.append({"seconds": 0.0, "tokens": 0})
            for batch in order.sample(list(batches), len(batches)):
                for system in order.sample(list(systems), len(systems)):
                    seconds, tokens = system.step(batch)
                    found[system.name][-1]["seconds"] += seconds
                    found[system.name][-1]["tokens"] += tokens
                gc.collect()
    finally:
        gc.enable()
    return found


def records(
    systems: Sequence[TrainingSystem], found: dict[str, list[dict[str, Any]]], baseline: str
) -> list[dict[str, Any]]:
    """One record per system: target tokens per second, overall and by round, and their ratio to the baseline's.

    ``ratio`` is over all rounds; ``ratio_rounds`` holds the minimum, median and maximum of single rounds.
    """
    speeds = {name: np.array([r["tokens"] / r["seconds"] for r in rounds]) for name, rounds in found.items()}
    totals = {
        name: sum(r["tokens"] for r in rounds) / sum(r["seconds"] for r in rounds) for name, rounds in found.items()
    }
    entries = []
    for system in systems:
        ratios = speeds[system.name] / speeds[baseline]
        entries.append(
            {
                "name": system.name,
                "options": shlex.join(system.words),
                "parameters": system.parameters,
                "tokens_per_second": totals[system.name],
                "round_tokens_per_second": speeds[system.name].tolist(),
                "ratio": totals[system.name] / totals[baseline],
                "ratio_rounds": [float(ratios.min()), float(np.median(ratios)), float(ratios.max())],
            }
        )
    return entries


def table(result: Mapping[str, Any]) -> str:
    """The result as text for the terminal."""
    rows = [
        {
            "system": system["name"],
            "target tokens/s": f"{system['tokens_per_second']:.0f}",
            f"of {result['baseline']}'s": f"{system['ratio']:.2f}",
            "rounds": "{0:.2f}..{2:.2f}".format(*system["ratio_rounds"]),
            "parameters": f"{system['parameters']:,}",
        }
        for system in result["systems"]
    ]
    return tabulate(rows, headers="keys", disable_numparse=True)


def _say(line: str) -> None:
    print(f"benchmark_training: {line}", file=sys.stderr, flush=True)
