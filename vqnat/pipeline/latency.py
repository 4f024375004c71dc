"""The command of scripts/benchmark_latency.py, and what the pipeline reads from its JSON."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from vqnat.pipeline.config import Config, System
from vqnat.pipeline.training import device_arguments

# Options of fairseq-generate that do not apply, as latency is measured at batch size 1.
BATCHES = ("batch-size", "max-tokens", "required-batch-size-multiple")


def latency_command(
    config: Config, systems: Sequence[tuple[System, Path, dict]], data: Path, output: Path
) -> list[str]:
    """All systems in one process, interleaved; ``systems`` are (system, checkpoint, decoding options)."""
    measured = config.latency
    command = [sys.executable, "scripts/benchmark_latency.py", str(data), "--gen-subset", "test"]
    for system, checkpoint, decoding in systems:
        # not `in`: 0 is a value, and equals False
        given = {k: v for k, v in decoding.items() if v is not None and v is not False and k not in BATCHES}
        words = [f"{system.name}={checkpoint}", *(f"{option}={value}" for option, value in given.items())]
        command += ["--system", ",".join(words)]
    return [
        *(*command, "--baseline", measured.baseline, "--sentences", str(measured.sentences)),
        *("--min-target-words", str(measured.min_target_words), "--repeats", str(measured.repeats)),
        *("--threads", str(measured.threads), "--seed", str(config.seed), *device_arguments(config)),
        *("--json", str(output), "--plot", str(output.with_suffix(".png"))),
    ]


def read_latency(path: Path, baseline: str, greedy: str) -> dict[str, dict[str, Any]]:
    """``latency_ms`` of each system and its speed-ups over two of them: all that is read from the file.

    The spread of a speed-up is a 95% interval over sentences.
    """
    result = {}
    for system in json.loads(path.read_text(encoding="utf-8"))["systems"]:
        entry = {"latency_ms": {key: system["latency_ms"][key] for key in ("mean", "p50", "p95")}}
        for label, other in (("beam4", baseline), ("greedy", greedy)):
            known = system["speedups"][other]
            entry[f"speedup_over_{label}"] = known["ratio"]
            entry[f"speedup_over_{label}_spread"] = [known["low"], known["high"]]
        result[system["name"]] = entry
    return result
