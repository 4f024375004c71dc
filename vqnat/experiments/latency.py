"""What the results take from the JSON of ``vqnat latency``."""

import json
from pathlib import Path
from typing import Any

NOT_TIMED: dict[str, Any] = {
    "latency_ms": {"mean": None, "p50": None, "p95": None},
    **{f"speedup_over_{label}{end}": None for label in ("beam4", "greedy") for end in ("", "_spread")},
}


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
