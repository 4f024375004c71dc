"""The result as a record for JSON and as tables for people."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from tabulate import tabulate

from vqnat.benchmarking import statistics
from vqnat.benchmarking.harness import Measurement
from vqnat.benchmarking.system import Batch, System


def system_records(
    systems: Sequence[System],
    batches: Sequence[Batch],
    measurements: Mapping[str, Measurement],
    phases: Mapping[str, Mapping[str, float]],
    memory: Mapping[str, Mapping[str, float | None] | None],
    baseline: str,
    seed: int,
    over: Sequence[str] = (),
) -> list[dict[str, Any]]:
    """One record a system: figures, and what others need to take figures of their own.

    ``latency_ms``, ``phases_ms`` and ``median_ms`` are ms per sentence (``median_ms``: over the rounds, one
    for each of the run's batches); ``tokens_per_second`` and ``output_tokens`` count target tokens without
    special symbols, the latter for each sentence; ``memory_mib`` as in :mod:`memory`; ``speedups`` over the
    systems named in ``over`` as in :func:`statistics.speedup`, ``speedup`` that over the baseline.
    """
    sizes = np.array([len(batch) for batch in batches])
    records = []
    for system in systems:
        measured = measurements[system.name]
        lengths = [[len(output) for output in batch] for batch in measured.outputs]
        flat = [length for batch in lengths for length in batch]
        speedups = {
            name: statistics.speedup(measurements[name].ms, measured.ms, seed)
            for name in dict.fromkeys([baseline, *over])
        }
        split = phases.get(system.name)
        records.append(
            {
                "name": system.name,
                **system.description,
                "latency_ms": statistics.latency(measured.ms, sizes),
                "speedup": speedups[baseline],
                "speedups": speedups,
                "tokens_per_second": statistics.tokens_per_second(
                    measured.ms, np.array([sum(batch) for batch in lengths])
                ),
                "mean_output_tokens": float(np.mean(flat)),
                "phases_ms": None if split is None else {**split, "total": sum(split.values())},
                "memory_mib": memory.get(system.name),
                "same_output_in_every_round": measured.stable,
                "outputs_sha256": hashlib.sha256(repr(measured.outputs).encode()).hexdigest(),
                "median_ms": [round(float(ms), 4) for ms in statistics.per_sentence(measured.ms, sizes)],
                "output_tokens": flat,
            }
        )
    return records


def phase_names(systems: Sequence[Mapping[str, Any]]) -> list[str]:
    """Of all systems, in the order in which they run; systems with more of them tell more of the order."""
    splits = sorted((system["phases_ms"] or {} for system in systems), key=len, reverse=True)
    names = list(dict.fromkeys(name for split in splits for name in split))
    for last in ("decoder", "rescoring", "rest", "total"):
        if last in names:
            names.remove(last)
            names.append(last)
    return names


def tables(result: Mapping[str, Any]) -> str:
    """Readable text: the figures, then how the time is split."""
    systems = result["systems"]
    rows = []
    for system in systems:
        times, faster, memory = system["latency_ms"], system["speedup"], system["memory_mib"] or {}
        error = times["standard_error"]
        rows.append(
            {
                "system": system["name"],
                "decoding": " ".join(f"{key}={value}" for key, value in system.get("decoding", {}).items()),
                "ms": f"{times['mean']:.2f}" + ("" if error is None else f" ± {error:.2f}"),
                "p50": f"{times['p50']:.2f}",
                "p95": f"{times['p95']:.2f}",
                "speed-up": f"{faster['ratio']:.2f}",
                "95%": f"{faster['low']:.2f}..{faster['high']:.2f}",
                "rounds": "{median:.2f} ({min:.2f}..{max:.2f})".format_map(faster["rounds"]),
                "tok/s": f"{system['tokens_per_second']:.0f}",
                "tokens": f"{system['mean_output_tokens']:.1f}",
                "MiB": "" if memory.get("peak") is None else f"{memory['peak']:.0f}",
                "parameters": f"{system['parameters']:,}" if "parameters" in system else "",
            }
        )
    names = phase_names(systems)
    split = [
        {"system": system["name"]}
        | {name: f"{system['phases_ms'][name]:.2f}" if name in system["phases_ms"] else "" for name in names}
        for system in systems
        if system["phases_ms"]
    ]
    sentences = result["sentences"]
    parts = [
        f"{sentences['measured']} sentences of {result['subset']}, batch size {result['batch_size']}, "
        f"{result['repeats']} rounds, {result['device']}, {result['threads']} threads; ms per sentence",
        tabulate(rows, headers="keys", tablefmt="simple", disable_numparse=True),
        f"speed-up: over {result['baseline']}, ratio of mean times; 95%: bootstrap over sentences; rounds: "
        "median (least..most) of single rounds; MiB: peak of a process of its own",
    ]
    if split:
        parts += [
            "ms per sentence by phase, with timers on (a pass of its own)",
            tabulate(split, headers="keys", tablefmt="simple", disable_numparse=True),
        ]
    return "\n\n".join(parts)
