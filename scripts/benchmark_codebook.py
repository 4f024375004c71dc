#!/usr/bin/env python3
"""One step of a codebook (assign, gradient, backward, moving averages): ours, a public package, the naive way, and
the bare matrix product that is the limit; interleaved, for many sizes.

scripts/benchmark_codebook.py --json benchmarks/codebook.json
"""

import argparse
import gc
import itertools
import logging
import os
import random
import sys
import time
from functools import partial
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
logging.disable(logging.INFO)  # what fairseq says when it is imported

import torch  # noqa: E402
from tabulate import tabulate  # noqa: E402

from vqnat.benchmarking.codebook_step import SYSTEMS, Shape, scores_fit  # noqa: E402
from vqnat.benchmarking.memory import peak_of_call  # noqa: E402
from vqnat.errors import UserError, run_command  # noqa: E402
from vqnat.records.results import provenance, write_json  # noqa: E402

DENSE = ("naive", "vector_quantize_pytorch")  # they hold all N x K scores


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--vectors", nargs="+", type=int, default=[512, 4096, 32768], metavar="N")
    parser.add_argument("--codes", nargs="+", type=int, default=[256, 4096, 65536], metavar="K")
    parser.add_argument("--dim", nargs="+", type=int, default=[64, 512], metavar="D")
    parser.add_argument("--rounds", type=int, default=9, help="all systems in turn, so often (default: 9)")
    parser.add_argument("--seconds", type=float, default=60, help="fewer rounds, but 3, for sizes that take longer")
    parser.add_argument("--threads", type=int, default=1, help="of torch (default: 1)")
    parser.add_argument("--memory", action="store_true", help="also each system's peak memory, in a process of its own")
    parser.add_argument("--memory-limit", type=float, default=8, metavar="GIB", help="leave out what would need more")
    parser.add_argument("--seed", type=int, default=1, help="of the order within a round")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures")
    options = parser.parse_args()
    for name in ("vectors", "codes", "dim"):
        for value in getattr(options, name):
            if value < 1:
                raise UserError(f"--{name} {value}: needed 1 or more")
    torch.set_num_threads(options.threads)
    order = random.Random(options.seed)
    records = []
    for codes, dim, vectors in itertools.product(options.codes, options.dim, options.vectors):
        record = measure(Shape(vectors, codes, dim), options, order)
        records.append(record)
        print(table(record), end="\n\n", flush=True)
    if options.json:
        result = {
            "threads": options.threads,
            "load_average": os.getloadavg()[0],
            "shapes": records,
            **provenance(options.seed, {}),
        }
        write_json(options.json, result)


def measure(shape: Shape, options: argparse.Namespace, order: random.Random) -> dict:
    """Times in ms of every round, and ratios within rounds, of one shape."""
    limit = int(options.memory_limit * 2**30)
    names = [name for name in SYSTEMS if name not in DENSE or scores_fit(shape, limit)]
    steps = {name: SYSTEMS[name](shape) for name in names}
    begun = time.perf_counter()
    for step in steps.values():
        step()  # warm
    once = time.perf_counter() - begun
    rounds = max(3, min(options.rounds, int(options.seconds / once)))
    ms: dict[str, list[float]] = {name: [] for name in names}
    gc.collect()
    gc.disable()
    for _ in range(rounds):
        for name in order.sample(names, len(names)):
            start = time.perf_counter()
            steps[name]()
            ms[name].append((time.perf_counter() - start) * 1000)
    gc.enable()
    record = {"vectors": shape.vectors, "codes": shape.codes, "dim": shape.dim, "ms": ms, "left_out": []}
    record["left_out"] = [name for name in SYSTEMS if name not in names]
    record["ratios"] = {
        name: spread([a / b for a, b in zip(ms[over], ms[under], strict=True)])
        for name, (over, under) in RATIOS.items()
        if over in ms and under in ms
    }
    if options.memory:
        steps.clear()
        record["peak_mib"] = {
            name: peak_of_call(partial(SYSTEMS[name], shape), partial(SYSTEMS[name], Shape(8, 8, shape.dim)))
            for name in names
        }
    return record


RATIOS = {
    "hard_em faster than vector_quantize_pytorch": ("vector_quantize_pytorch", "hard_em"),
    "hard_em faster than naive": ("naive", "hard_em"),
    "hard_em over the matrix product": ("hard_em", "matrix_product"),
    "soft_em_10 over hard_em": ("soft_em_10", "hard_em"),
}


def spread(values: list[float]) -> dict[str, float]:
    """Median, least and most of the ratios of single rounds."""
    return {"median": median(values), "min": min(values), "max": max(values)}


def table(record: dict) -> str:
    """For the terminal."""
    rows = []
    for name, times in record["ms"].items():
        row = {"system": name, "ms": f"{median(times):.2f}", "least": f"{min(times):.2f}", "most": f"{max(times):.2f}"}
        if "peak_mib" in record:
            row["MiB"] = f"{record['peak_mib'][name]:.0f}"
        rows.append(row)
    title = str(Shape(record["vectors"], record["codes"], record["dim"]))
    ratios = [f"{name}: {r['median']:.2f} ({r['min']:.2f} to {r['max']:.2f})" for name, r in record["ratios"].items()]
    return "\n".join([title, tabulate(rows, headers="keys", disable_numparse=True), *ratios])


if __name__ == "__main__":
    run_command("benchmark_codebook", main)
