"""The result as a picture: latency against output length, where the time goes, and speed by batch size."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

from vqnat.benchmarking.report import phase_names

# Okabe and Ito's palette: told apart by the colour-blind too.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#999999")


def draw(result: Mapping[str, Any], path: Path) -> None:
    """Write the picture; the format follows the ending of ``path``."""
    systems = result["systems"]
    panels = 3 if result["further"] else 2
    figure, (left, right, *third) = plt.subplots(1, panels, figsize=(5.5 * panels, 4.2), layout="constrained")
    sizes = [len(batch) for batch in result["batches"]]
    for number, system in enumerate(systems):
        start, lengths = 0, []
        for size in sizes:
            lengths.append(sum(system["output_tokens"][start : start + size]) / size)
            start += size
        colour = COLOURS[number % len(COLOURS)]
        left.scatter(lengths, system["median_ms"], s=12, alpha=0.7, color=colour, label=system["name"])
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
        colour = "#999999" if phase == "rest" else COLOURS[number % (len(COLOURS) - 1)]
        right.barh([s["name"] for s in split], ms, left=ends, color=colour, label=phase)
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
    """Where one system catches up with another."""
    runs = sorted([result, *result["further"]], key=lambda run: run["batch_size"])
    for number, system in enumerate(result["systems"]):
        speeds = [run["systems"][number]["tokens_per_second"] for run in runs]
        style = "-" if number < len(COLOURS) else "--"
        colour = COLOURS[number % len(COLOURS)]
        axes.plot([run["batch_size"] for run in runs], speeds, style, marker="o", color=colour, label=system["name"])
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    axes.set_xlabel("batch size")
    axes.set_ylabel("output tokens per second")
    axes.grid(alpha=0.3)
