"""What the commands measured, gathered in one JSON file from which every table is rendered."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from vqnat.experiments.config import Config
from vqnat.experiments.latency import NOT_TIMED, read_latency
from vqnat.experiments.layout import Layout
from vqnat.experiments.scores import right_rate
from vqnat.experiments.translations import read_lines
from vqnat.records.results import provenance, workflow_command
from vqnat.records.training_logs import curves, wall_seconds


def collect(config: Config, run: Path, at: str = "") -> dict[str, Any]:
    """The content of ``results.json``.

    Args:
        config: the experiment.
        run: its folder, with latency, scores, outputs and logs.
        at: the seed's place in it, see :mod:`.layout`.
    """
    layout, raw = Layout(config), run / "raw"
    latency = read_latency(run / f"{at}latency.json", config.latency.baseline, config.latency.greedy)
    records, outputs = [], {}
    for system in config.systems:
        training = config.trainings[system.training]
        place = run / layout.system_place(system, at)
        outputs[system.name] = read_lines(place / "outputs" / f"{system.name}.{config.target}")
        log = run / f"{layout.place(system.training, at)}logs/train_{system.training}.log"
        records.append(
            {
                "name": system.name,
                **json.loads((place / "scores" / f"{system.name}.json").read_text(encoding="utf-8")),
                **latency.get(system.name, NOT_TIMED),
                "decoding": system.decoding,
                **({"paper": system.paper} if system.paper else {}),
                "training": {
                    "name": system.training,
                    "seed": layout.seed(layout.place(system.training, at)),
                    "text": training.text,
                    "arch": config.options(system.training)["arch"],
                    **training_facts(log),
                },
            }
        )
    sources = read_lines(raw / f"test.{config.source}")
    references = read_lines(raw / f"test.{config.target}")
    files = sorted(path for path in raw.iterdir() if path.suffix in (f".{config.source}", f".{config.target}"))
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
        "systems": records,
        "samples": choose_samples(sources, references, outputs, config.samples, right_rate(config.data.kind)),
        **provenance(layout.seed(at), {path.name: path for path in files}, workflow_command()),
    }


def training_facts(log: Path) -> dict[str, Any]:
    """Updates, seconds and speed from a training log, and its codes at the last validation on each set."""
    found = curves(log)
    lines = [line for kind in found.values() for line in kind]
    updates = max((int(line["num_updates"]) for line in lines), default=None)
    speeds = [line["ups"] for line in found["train_inner"] if "ups" in line]
    return {
        "updates": updates,
        "seconds": wall_seconds(log),
        "updates_per_second": median(speeds) if speeds else None,
        "codes": _codes(found["valid"]),
        "codes_by_update": _codes_by_update(found["valid"]),
        "codes_distilled_valid": _codes(found["valid1"]),
    }


CODES = {
    "perplexity": "code_ppl",
    "share_in_use": "code_use",
    "words_right_from_true_codes": "word_acc",
    "predicted_right": "code_acc",
    "predictor_bits": "predictor_loss",
}


def _codes(valid: list[dict[str, float]]) -> dict[str, float] | None:
    """The codes at the last validation; None for models without codes."""
    last = next((line for line in reversed(valid) if "code_ppl" in line), None)
    return last and {name: last[key] for name, key in CODES.items() if key in last}


def _codes_by_update(valid: list[dict[str, float]]) -> dict[str, list[float]] | None:
    """The codes at every validation, as columns: a training that loses them shows it here."""
    lines = [line for line in valid if "code_ppl" in line]
    columns = {"updates": "num_updates", **CODES}
    return {name: [line[key] for line in lines] for name, key in columns.items() if lines and key in lines[-1]} or None


def choose_samples(
    sources: Sequence[str],
    references: Sequence[str],
    outputs: dict[str, Sequence[str]],
    count: int,
    right_rate: Callable[[Sequence[str], Sequence[str]], float] | None,
) -> list[dict[str, Any]]:
    """``count`` sentences at equal distances in the test set, so that nobody picks them."""
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
