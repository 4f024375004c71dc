"""Time and memory of one codebook step, the benchmark behind ``scripts/benchmark_codebook.py``."""

import argparse
import gc
import itertools
import os
import random
import time
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import torch
from tabulate import tabulate

from vqnat.benchmarking.codebook_names import RATIOS
from vqnat.benchmarking.codebook_systems import DENSE, SYSTEMS, Shape, scores_fit
from vqnat.benchmarking.harness.memory import peak_of_call
from vqnat.errors import UserError
from vqnat.records.results import provenance, write_json

DESCRIPTION = """One codebook step (assign, quantize, backward, moving averages) by our bottlenecks, a public package
and a naive implementation, beside the bare matrix product that bounds them; interleaved, for many sizes.

scripts/benchmark_codebook.py --json benchmarks/codebook.json
"""


def parser() -> argparse.ArgumentParser:
    """All options."""
    p = argparse.ArgumentParser(description=DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--vectors", nargs="+", type=int, default=[512, 4096, 32768], metavar="N")
    p.add_argument("--codes", nargs="+", type=int, default=[256, 4096, 65536], metavar="K")
    p.add_argument("--dim", nargs="+", type=int, default=[64, 512], metavar="D")
    p.add_argument("--rounds", type=int, default=9, help="timed steps of each system, interleaved (default: 9)")
    p.add_argument("--seconds", type=float, default=60, help="time limit per size; at least 3 rounds are made")
    p.add_argument("--threads", type=int, default=1, help="torch threads (default: 1)")
    p.add_argument("--memory", action="store_true", help="also measure each system's peak memory in its own process")
    p.add_argument("--memory-limit", type=float, default=8, metavar="GIB", help="skip systems that would need more")
    p.add_argument("--seed", type=int, default=1, help="seed of the order within a round (default: 1)")
    p.add_argument("--json", type=Path, metavar="FILE", help="write all figures to this file")
    return p


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print shape by shape, then write.

    Raises:
        UserError: a size is impossible.
    """
    options = parser().parse_args(arguments)
    for name in ("vectors", "codes", "dim"):
        for value in getattr(options, name):
            if value < 1:
                raise UserError(f"--{name} {value}: needed 1 or more")
    torch.set_num_threads(options.threads)
    limit = int(options.memory_limit * 2**30)
    order = random.Random(options.seed)
    records = []
    for codes, dim, vectors in itertools.product(options.codes, options.dim, options.vectors):
        record = measure(Shape(vectors, codes, dim), options.rounds, options.seconds, limit, order, options.memory)
        records.append(record)
        print(table(record), end="\n\n", flush=True)
    if options.json:
        result = {"threads": options.threads, "load_average": os.getloadavg()[0], "shapes": records}
        write_json(options.json, result | provenance(options.seed, {}))


def measure(
    shape: Shape, rounds: int, seconds: float, memory_limit: int, order: random.Random, memory: bool = False
) -> dict[str, Any]:
    """Time every system on one shape.

    Args:
        shape: N, K and D.
        rounds: timed steps of each system; fewer, but at least 3, if they would take longer than ``seconds``.
        seconds: time limit.
        memory_limit: bytes; dense systems that would need more are left out.
        order: decides in which order the systems run within a round.
        memory: also measure peak memory.

    Returns:
        ``vectors``, ``codes``, ``dim``; ``ms`` name -> ms of every round; ``left_out`` names; ``ratios`` of
        :data:`~vqnat.benchmarking.codebook_names.RATIOS` within rounds; ``peak_mib`` name -> MiB if ``memory``.
    """
    names = [name for name in SYSTEMS if name not in DENSE or scores_fit(shape, memory_limit)]
    steps = {name: SYSTEMS[name](shape) for name in names}
    begun = time.perf_counter()
    for step in steps.values():
        step()  # warm-up
    once = time.perf_counter() - begun
    rounds = max(3, min(rounds, int(seconds / once)))
    ms: dict[str, list[float]] = {name: [] for name in names}
    # Not torch.utils.benchmark: its Timer runs two warm-up calls before each timing, three times the work, and times
    # one system after another. Here single calls of all systems alternate in random order, so that the ratios within a
    # round are free of the machine's slow drifts.
    gc.collect()
    gc.disable()
    try:
        for _ in range(rounds):
            for name in order.sample(names, len(names)):
                start = time.perf_counter()
                steps[name]()
                ms[name].append((time.perf_counter() - start) * 1000)
    finally:
        gc.enable()
    record: dict[str, Any] = {"vectors": shape.vectors, "codes": shape.codes, "dim": shape.dim, "ms": ms}
    record["left_out"] = [name for name in SYSTEMS if name not in names]
    record["ratios"] = {
        name: _spread([a / b for a, b in zip(ms[ratio.over], ms[ratio.under], strict=True)])
        for name, ratio in RATIOS.items()
        if ratio.over in ms and ratio.under in ms
    }
    if memory:
        steps.clear()
        record["peak_mib"] = {
            name: peak_of_call(partial(SYSTEMS[name], shape), partial(SYSTEMS[name], Shape(8, 8, shape.dim)))
            for name in names
        }
    return record


def _spread(values: list[float]) -> dict[str, float]:
    """Median, minimum and maximum of the ratios of single rounds."""
    return {"median": median(values), "min": min(values), "max": max(values)}


def table(record: Mapping[str, Any]) -> str:
    """One shape's record as text for the terminal."""
    rows = []
    for name, times in record["ms"].items():
        row = {"system": name, "ms": f"{median(times):.2f}", "least": f"{min(times):.2f}", "most": f"{max(times):.2f}"}
        if "peak_mib" in record:
            row["MiB"] = f"{record['peak_mib'][name]:.0f}"
        rows.append(row)
    title = str(Shape(record["vectors"], record["codes"], record["dim"]))
    ratios = [f"{name}: {r['median']:.2f} ({r['min']:.2f} to {r['max']:.2f})" for name, r in record["ratios"].items()]
    return "\n".join([title, tabulate(rows, headers="keys", disable_numparse=True), *ratios])
