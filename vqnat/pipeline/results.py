"""Gathers what the stages measured into one JSON file, from which every table is rendered."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from vqnat.pipeline.latency import read_latency
from vqnat.pipeline.logs import curves, wall_seconds
from vqnat.pipeline.translate import read_lines
from vqnat.records.results import provenance

if TYPE_CHECKING:
    from vqnat.pipeline.plan import Plan


def collect(plan: Plan) -> dict[str, Any]:
    """The content of ``results.json``."""
    from vqnat.pipeline.plan import right_rate

    config = plan.config
    latency = read_latency(plan.run / "latency.json", config.latency.baseline, config.latency.greedy)
    systems = []
    for system in plan.systems:
        training = config.trainings[system.training]
        scores = json.loads((plan.run / "scores" / f"{system.name}.json").read_text(encoding="utf-8"))
        systems.append(
            {
                "name": system.name,
                **scores,
                **latency[system.name],
                "decoding": system.decoding,
                "training": {
                    "name": system.training,
                    "text": training.text,
                    "arch": config.options(system.training)["arch"],
                    **training_facts(plan.run / "logs" / f"train_{system.training}.log"),
                },
            }
        )
    outputs = {s.name: read_lines(plan.run / "outputs" / f"{s.name}.{config.target}") for s in plan.systems}
    sources = read_lines(plan.raw / f"test.{config.source}")
    references = read_lines(plan.raw / f"test.{config.target}")
    files = sorted(path for path in plan.raw.iterdir() if path.suffix in (f".{config.source}", f".{config.target}"))
    return {
        "name": config.name,
        "corpus": config.data.kind,
        "tokenised": config.data.tokenised,
        "note": config.data.note,
        "direction": f"{config.source}-{config.target}",
        "vocabulary": config.vocabulary,
        "sentences": {"test": len(sources), "latency": config.latency.sentences},
        "latency_min_target_words": config.latency.min_target_words,
        "baseline": config.latency.baseline,
        "greedy": config.latency.greedy,
        "systems": systems,
        "samples": choose_samples(sources, references, outputs, config.samples, right_rate(config)),
        **provenance(config.seed, {path.name: path for path in files}),
    }


def training_facts(log: Path) -> dict[str, Any]:
    """What a training log says: updates, seconds, speed, and of the codes at the last validation on each set."""
    found = curves(log)
    lines = [line for kind in found.values() for line in kind]
    updates = max((int(line["num_updates"]) for line in lines), default=None)
    speeds = [line["ups"] for line in found["train_inner"] if "ups" in line]
    return {
        "updates": updates,
        "seconds": wall_seconds(log),
        "updates_per_second": median(speeds) if speeds else None,
        "codes": _codes(found["valid"]),
        "codes_distilled_valid": _codes(found["valid1"]),
    }


def _codes(valid: list[dict[str, float]]) -> dict[str, float] | None:
    """What the last validation says of the codes; None for models without."""
    last = next((line for line in reversed(valid) if "code_ppl" in line), None)
    if last is None:
        return None
    wanted = {
        "perplexity": "code_ppl",
        "share_in_use": "code_use",
        "words_right_from_true_codes": "word_acc",
        "predicted_right": "code_acc",
        "predictor_bits": "predictor_loss",
    }
    return {name: last[key] for name, key in wanted.items() if key in last}


def choose_samples(
    sources: Sequence[str],
    references: Sequence[str],
    outputs: dict[str, Sequence[str]],
    count: int,
    right_rate: Callable[[Sequence[str], Sequence[str]], float] | None,
) -> list[dict[str, Any]]:
    """``count`` sentences at equal distances in the test set, so that nobody has picked them."""
    step = max(1, len(sources) // count) if count else len(sources) + 1
    samples = []
    for n in range(step // 2, len(sources), step)[:count]:
        texts = {name: lines[n] for name, lines in outputs.items()}
        samples.append(
            {
                "line": n + 1,
                "source": sources[n],
                "reference": references[n],
                "outputs": {
                    name: {
                        "text": text,
                        "right": right_rate([sources[n]], [text]) == 1 if right_rate else None,
                    }
                    for name, text in texts.items()
                },
            }
        )
    return samples
