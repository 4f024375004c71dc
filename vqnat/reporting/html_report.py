"""``results.json``, training logs and checkpoints as one self-contained HTML file."""

import json
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from vqnat.checkpoints.reading import read_checkpoint
from vqnat.records.atomic import write_text
from vqnat.records.training_logs import curves
from vqnat.reporting import svg_plots, systems

Curves = dict[str, dict[str, list[dict[str, float]]]]
# (kind of log line, key, title, axis, logarithmic)
PICTURES = [
    ("train_inner", "loss", "Training loss", "loss", False),
    ("valid", "loss", "Validation loss", "loss", False),
    ("valid1", "loss", "Validation loss, distilled set", "loss", False),
    ("valid", "bleu", "Validation BLEU", "BLEU", False),
]
CODEBOOK = [
    ("train_inner", "code_ppl", "Codebook perplexity", "perplexity", False),
    ("train_inner", "code_use", "Share of codes in use", "share", False),
    ("valid", "word_acc", "Validation words right from true codes", "share", False),
]


def write_report(results_path: Path, logs: dict[str, Path], checkpoints: dict[str, Path], output: Path) -> None:
    """Render the report.

    Args:
        results_path: ``results.json``.
        logs: of the trainings; curves of trainings without one are left out.
        checkpoints: of the trainings, for how often each code is used; those without a codebook are left out.
        output: the HTML file.
    """
    results = json.loads(results_path.read_text(encoding="utf-8"))
    names = dict.fromkeys(system["training"]["name"] for system in results["systems"])
    found: Curves = {name: curves(logs[name]) for name in names if name in logs}
    counts = {name: code_counts(checkpoints[name]) for name in names if name in checkpoints}
    write_text(output, render(results, found, counts))


def code_counts(checkpoint: Path) -> list[float]:
    """Moving counts of the codes in a checkpoint, most frequent first; empty without a codebook."""
    model = read_checkpoint(checkpoint)["model"]
    found = [name for name in model if name.endswith("codebook.counts")]
    # Product quantization also keeps the counts of its blocks, under longer names.
    return model[min(found, key=len)].sort(descending=True).values.tolist() if found else []


def render(results: dict[str, Any], found: Curves, counts: dict[str, list[float]]) -> str:
    """The page as text."""
    trainings = dict.fromkeys(system["training"]["name"] for system in results["systems"])
    colors = {name: number for number, name in enumerate(trainings)}
    header, rows = systems.header_and_rows(results)
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
    )
    provenance = {
        key: results[key]
        for key in ("command", "commit", "date", "seed", "machine", "versions", "data")
        if key in results
    }
    return environment.get_template("report.html").render(
        results=results,
        header=header,
        rows=rows,
        origin=systems.origin(results),
        colors=colors,
        minutes={s["training"]["name"]: _minutes(s["training"]) for s in results["systems"]},
        trade_offs=_trade_offs(results, colors),
        training_curves=_pictures(PICTURES, found, colors),
        codebook_curves=_pictures(CODEBOOK, found, colors) + _code_frequencies(counts, colors),
        provenance={key: _flat(value) for key, value in provenance.items()},
    )


def _pictures(wanted: list[tuple], found: Curves, colors: dict[str, int]) -> list[tuple[str, Markup]]:
    pictures = []
    for kind, key, title, label, log in wanted:
        series = {name: [(x["num_updates"], x[key]) for x in lines[kind] if key in x] for name, lines in found.items()}
        series = {name: points for name, points in series.items() if points}
        if series:
            svg = svg_plots.lines(title, series, colors, label, log)
            pictures.append((title, Markup(svg)))  # nosec B704
    return pictures


def _code_frequencies(counts: dict[str, list[float]], colors: dict[str, int]) -> list[tuple[str, Markup]]:
    title = "Frequency of each code, times the mean"
    series = {
        name: [(rank, count * len(each) / sum(each)) for rank, count in enumerate(each, 1)]
        for name, each in counts.items()
        if sum(each) > 0
    }
    if not series:
        return []
    svg = svg_plots.lines(title, series, colors, "times the mean", x_label="codes, the most frequent first")
    return [(title, Markup(svg))]  # nosec B704


def _trade_offs(results: dict[str, Any], colors: dict[str, int]) -> list[tuple[str, Any]]:
    measured = [system for system in results["systems"] if system["latency_ms"]["mean"] is not None]
    wanted = [("sacrebleu", systems.bleu_name(results), "BLEU against latency")]
    if all(system["right_translation_rate"] is not None for system in measured):
        wanted.append(("right_translation_rate", "share of right translations", "Right translations against latency"))
    return [
        (title, Markup(svg_plots.quality_against_latency(measured, colors, key, label, title)))  # nosec B704
        for key, label, title in wanted
    ]


def _minutes(training: dict[str, Any]) -> str:
    updates, seconds = training.get("updates"), training.get("seconds")
    words = [f"{updates} updates"] if updates else []
    words += [f"{seconds / 60:.1f} min"] if seconds else []
    return ", ".join(words) or "unknown"


def _flat(value: Any) -> str:
    if isinstance(value, dict):
        return "\n".join(f"{key}: {_flat(inner)}" for key, inner in value.items())
    if isinstance(value, list):
        return " ".join(str(item) for item in value)
    return str(value)
