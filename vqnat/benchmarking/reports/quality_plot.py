"""Quality against latency and against throughput, with the Pareto fronts: what a user chooses from."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

from vqnat.benchmarking.reports.latency_plot import COLORS


def pareto_front(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """The points that no other one beats: smaller first coordinate and larger second, in order of the first."""
    front: list[tuple[float, float]] = []
    for x, y in sorted(points, key=lambda point: (point[0], -point[1])):
        if not front or y > front[-1][1]:
            front.append((x, y))
    return front


def draw_quality(result: Mapping[str, Any], path: Path) -> None:
    """Plot a result, the JSON of ``vqnat latency --raw``, to ``path``; its suffix decides the format."""
    runs = sorted([result, *result["further"]], key=lambda run: run["batch_size"])
    shown = [runs[0], runs[-1]] if len(runs) > 1 else runs
    scores = {system["name"]: system["quality"]["sacrebleu"] for system in result["systems"]}
    figure, panels = plt.subplots(1, len(shown), figsize=(7 * len(shown), 5), layout="constrained", squeeze=False)
    for axes, run in zip(panels[0], shown, strict=True):
        times = {system["name"]: system["latency_ms"]["mean"] for system in run["systems"]}
        front = pareto_front([(times[name], scores[name]) for name in scores])
        # As sentences per second the same points lie in mirror image.
        throughput = run is not runs[0]
        place = (lambda ms: 1000 / ms) if throughput else (lambda ms: ms)
        axes.plot([place(x) for x, _ in front], [y for _, y in front], color="#999999", zorder=1)
        for number, name in enumerate(scores):
            color, marker = COLORS[number % len(COLORS)], "os^Dv"[number // len(COLORS) % 5]
            axes.plot(place(times[name]), scores[name], marker, color=color, label=name, ls="", zorder=2)
        axes.set_xscale("log")
        axes.set_xlabel("sentences per second" if throughput else "ms per sentence")
        axes.set_ylabel("sacreBLEU")
        axes.set_title(
            f"batch size {run['batch_size']}, {run['threads'] if 'threads' in run else result['threads']} threads"
        )
        axes.grid(alpha=0.3)
    panels[0][0].legend(fontsize=7, ncols=4, loc="lower center", bbox_to_anchor=(0.5, 1.08))
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=150)
    plt.close(figure)
