"""The command of scripts/benchmark_latency.py, and what the pipeline takes from its JSON."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from vqnat.pipeline.config import Config, System
from vqnat.pipeline.training import device_arguments


def latency_command(
    config: Config,
    systems: Sequence[tuple[System, Path, dict]],
    data: Path,
    output: Path,
) -> list[str]:
    """All systems in one process, interleaved; ``systems`` are (system, checkpoint, decoding options)."""
    measured = config.latency
    command = [sys.executable, "scripts/benchmark_latency.py", str(data), "--gen-subset", "test"]
    for system, checkpoint, decoding in systems:
        words = [f"{system.name}={checkpoint}"]
        words += [
            f"{option}={_word(value)}" for option, value in decoding.items() if value not in (None, False)
        ]
        command += ["--system", ",".join(words)]
    return [
        *(*command, "--baseline", measured.baseline, "--sentences", str(measured.sentences)),
        *("--min-target-words", str(measured.min_target_words), "--repeats", str(measured.repeats)),
        *("--threads", str(measured.threads), *device_arguments(config)),
        *("--json", str(output), "--plot", str(output.with_suffix(".png"))),
    ]


def _word(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def read_latency(path: Path, baseline: str, greedy: str) -> dict[str, dict[str, Any]]:
    """``latency_ms`` of each system, and its speed-ups with their spread: all that is read of the file.

    Speed-ups are over ``baseline`` and ``greedy``, whatever these decode with.
    """
    systems = {system["name"]: system for system in json.loads(path.read_text(encoding="utf-8"))["systems"]}
    result = {}
    for name, system in systems.items():
        times = system["latency_ms"]
        entry = {"latency_ms": {key: times[key] for key in ("mean", "p50", "p95")}}
        for label, other in (("beam4", baseline), ("greedy", greedy)):
            ratio, spread = _speedup(system, systems, other)
            entry[f"speedup_over_{label}"] = ratio
            entry[f"speedup_over_{label}_spread"] = spread
        result[name] = entry
    return result


def _speedup(system: dict, systems: dict[str, dict], other: str) -> tuple[float, list[float] | None]:
    known = system.get("speedups", {}).get(other)
    if known:
        return known["ratio"], [known["low"], known["high"]]
    return systems[other]["latency_ms"]["mean"] / system["latency_ms"]["mean"], None
