"""Measurements as plain records: the JSON that every report is rendered from."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from vqnat.benchmarking.harness import latency_statistics
from vqnat.benchmarking.harness.rounds import Measurement
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
    """One JSON-ready record per system: its figures, and the raw values needed to compute others.

    Args:
        systems: what was measured.
        batches: what they translated.
        measurements: system name -> times and outputs.
        phases: system name -> ms per sentence by phase; may lack systems.
        memory: system name -> MiB; may lack systems.
        baseline: name of the system that ``speedup`` is over.
        seed: of the bootstrap.
        over: names of further systems for ``speedups``.

    Returns:
        One dict per system. ``latency_ms``, ``phases_ms`` and ``median_ms`` are ms per sentence (``median_ms``: the
        median over rounds, one per batch); ``tokens_per_second`` and ``output_tokens`` (one per sentence) count
        target tokens without special symbols; ``memory_mib`` is as in :mod:`~vqnat.benchmarking.harness.memory`,
        ``speedups`` as in :func:`~vqnat.benchmarking.harness.latency_statistics.speedup`.
    """
    sizes = np.array([len(batch) for batch in batches])
    records = []
    for system in systems:
        measured = measurements[system.name]
        lengths = [[len(output) for output in batch] for batch in measured.outputs]
        flat = [length for batch in lengths for length in batch]
        speedups = {
            name: latency_statistics.speedup(measurements[name].ms, measured.ms, seed)
            for name in dict.fromkeys([baseline, *over])
        }
        split = phases.get(system.name)
        records.append(
            {
                "name": system.name,
                **system.description,
                "latency_ms": latency_statistics.latency(measured.ms, sizes),
                "speedup": speedups[baseline],
                "speedups": speedups,
                "tokens_per_second": latency_statistics.tokens_per_second(
                    measured.ms, np.array([sum(batch) for batch in lengths])
                ),
                "mean_output_tokens": float(np.mean(flat)),
                "phases_ms": None if split is None else {**split, "total": sum(split.values())},
                "memory_mib": memory.get(system.name),
                "same_output_in_every_round": measured.stable,
                "outputs_sha256": hashlib.sha256(repr(measured.outputs).encode()).hexdigest(),
                "median_ms": [round(float(ms), 4) for ms in latency_statistics.per_sentence(measured.ms, sizes)],
                "output_tokens": flat,
            }
        )
    return records
