"""The latency benchmark's result as a picture: latency by output length, time by phase, speed by batch size."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

from vqnat.benchmarking.reports.latency_tables import phase_names

# Okabe and Ito's palette, distinguishable for color-blind readers too.
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#999999")


def draw(result: Mapping[str, Any], path: Path) -> None:
    """Plot a result, the JSON of benchmark_latency.py, to ``path``; its suffix decides the format."""
    systems = result["systems"]
    panels = 3 if result["further"] else 2
    figure, (left, right, *third) = plt.subplots(1, panels, figsize=(5.5 * panels, 4.2), layout="constrained")
    sizes = [len(batch) for batch in result["batches"]]
    for number, system in enumerate(systems):
        start, lengths = 0, []
        for size in sizes:
            lengths.append(sum(system["output_tokens"][start : start + size]) / size)
            start += size
        color = COLORS[number % len(COLORS)]
        left.scatter(lengths, system["median_ms"], s=12, alpha=0.7, color=color, label=system["name"])
    left.set_xlabel("output tokens")
    left.set_ylabel("ms per sentence")
    left.set_yscale("log")
    left.grid(alpha=0.3)
    left.legend(fontsize=8, ncols=3, loc="lower center", bbox_to_anchor=(0.5, 1.0))

    split = [system for system in systems if system["phases_ms"]]
    names = [name for name in phase_names(systems) if name not in ("rest", "total")]
    ends = [0.0] * len(split)
    for number, phase in enumerate([*names, "rest"]):
        ms = [system["phases_ms"].get(phase, 0.0) for system in split]
        color = "#999999" if phase == "rest" else COLORS[number % (len(COLORS) - 1)]
        right.barh([s["name"] for s in split], ms, left=ends, color=color, label=phase)
        ends = [end + more for end, more in zip(ends, ms, strict=True)]
    right.invert_yaxis()
    right.set_xlabel("ms per sentence")
    right.legend(fontsize=8, ncols=3, loc="lower center", bbox_to_anchor=(0.5, 1.0))
    for axes in third:
        _by_batch_size(axes, result)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=150)
    plt.close(figure)


def _by_batch_size(axes: plt.Axes, result: Mapping[str, Any]) -> None:
    """Tokens per second by batch size, a line per system."""
    runs = sorted([result, *result["further"]], key=lambda run: run["batch_size"])
    for number, system in enumerate(result["systems"]):
        speeds = [run["systems"][number]["tokens_per_second"] for run in runs]
        style = "-" if number < len(COLORS) else "--"
        color = COLORS[number % len(COLORS)]
        axes.plot([run["batch_size"] for run in runs], speeds, style, marker="o", color=color, label=system["name"])
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    axes.set_xlabel("batch size")
    axes.set_ylabel("output tokens per second")
    axes.grid(alpha=0.3)
