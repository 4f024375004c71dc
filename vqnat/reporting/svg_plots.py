"""Pictures as SVG whose colors are CSS variables, so that they follow light and dark mode.

In the report the variables are those of the page; :func:`standalone_svg` brings its own.
"""

import io
import re
from collections.abc import Sequence
from typing import Any

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullFormatter
from matplotlib.transforms import Bbox

# Placeholders: drawn in these colors, which are then replaced by variables of report.html.
INK, FAINT = "#010101", "#020202"
SERIES = [f"#0304{n:02x}" for n in range(8)]
VARIABLES = {INK: "var(--ink)", FAINT: "var(--rule)"} | {c: f"var(--series-{n})" for n, c in enumerate(SERIES)}
# The colors of a file of its own; those of the report are in report.html.
PALETTE = """
:root { --ink: #1f2328; --rule: #d5d9de; --series-0: #b4540a; --series-1: #1660b4; --series-2: #2d7d46; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6e8eb; --rule: #3a4048; --series-0: #f09a54; --series-1: #6aaef7; --series-2: #6cc58a; }
}
"""
STYLE = {
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 10,
    "axes.edgecolor": FAINT,
    "axes.labelcolor": INK,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": FAINT,
    "grid.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "xtick.minor.size": 0,
    "ytick.minor.size": 0,
    "legend.frameon": False,
}
SIDES = ((1, 0, "left", "center"), (-1, 0, "right", "center"))
Points = Sequence[tuple[float, float]]


def _svg(figure: Any, description: str) -> str:
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", transparent=True, bbox_inches="tight", metadata={"Date": None})
    plt.close(figure)
    svg = buffer.getvalue()
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg[svg.index("<svg") :], flags=re.DOTALL)
    for color, variable in VARIABLES.items():
        svg = svg.replace(color, variable)
    svg = re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", svg, count=1)
    svg = re.sub(r'(<svg[^>]*?) width="[^"]*"', rf'\1 role="img" aria-label="{description}"', svg, count=1)
    # matplotlib's ids are unique within a file, but the page holds several: clip paths must not be mixed up.
    prefix = re.sub(r"\W+", "-", description.lower())
    svg = re.sub(r'id="([^"]+)"', rf'id="{prefix}-\1"', svg)
    return re.sub(r"(url\(#|href=\"#)", rf"\1{prefix}-", svg)


def standalone_svg(figure: Any, description: str) -> str:
    """A figure as a file of its own, which follows the reader's light or dark mode and loads nothing."""
    with plt.rc_context({"svg.hashsalt": description}):  # ids: the same in every run
        svg = _svg(figure, description)
    start = svg.index(">") + 1
    return f"{svg[:start]}\n<title>{description}</title>\n<style>{PALETTE}</style>{svg[start:]}"


def lines(
    title: str,
    series: dict[str, Points],
    colors: dict[str, int],
    label: str,
    log: bool = False,
    x_label: str = "updates",
) -> str:
    """Curves, one per training.

    Args:
        title: description for screen readers, and prefix of the ids.
        series: name -> points (x, value).
        colors: name -> number of its color, the same in every picture.
        label: of the y axis.
        log: whether the y axis is logarithmic.
        x_label: of the x axis.
    """
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(figsize=(4.6, 2.9))
        for name, points in series.items():
            color = SERIES[colors[name] % len(SERIES)]
            shown = "o" if len(points) == 1 else None
            axes.plot(*zip(*points, strict=True), color=color, linewidth=1.8, marker=shown, label=name)
        axes.set_xlabel(x_label)
        axes.set_ylabel(label)
        axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
        if log:
            axes.set_yscale("log")
            axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
            axes.yaxis.set_minor_formatter(NullFormatter())
        if len(series) > 1:
            columns = 2 if len(series) > 3 else 1
            axes.legend(fontsize=8.5, ncols=columns, loc="lower left", bbox_to_anchor=(0, 1.0))
        return _svg(figure, title)


def quality_against_latency(
    systems: Sequence[dict[str, Any]], colors: dict[str, int], measure: str, label: str, title: str
) -> str:
    """One point per system: up and to the left is better."""
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(figsize=(4.6, 3.2))
        for system in systems:
            x, y = system["latency_ms"]["mean"], system[measure]
            axes.plot(x, y, "o", markersize=9, color=SERIES[colors[system["training"]["name"]] % len(SERIES)])
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.xaxis.set_minor_formatter(FuncFormatter(lambda v, _: f"{v:g}" if f"{v:e}"[0] in "25" else ""))
        axes.margins(0.22, 0.18)
        axes.set_xlabel("ms per sentence, batch size 1")
        axes.set_ylabel(label)
        place_labels(axes, [(s["latency_ms"]["mean"], s[measure], s["name"]) for s in systems])
        return _svg(figure, title)


def place_labels(
    axes: Any, points: Sequence[tuple[float, float, str]], unnamed: Sequence[tuple[float, float]] = ()
) -> None:
    """Put a name at each point, where possible inside and without covering another name or point."""
    figure = axes.figure
    figure.canvas.draw()
    taken = []
    for x, y in [*((x, y) for x, y, _ in points), *unnamed]:
        px, py = axes.transData.transform((x, y))
        taken.append(Bbox.from_bounds(px - 6, py - 6, 12, 12))
    for x, y, name in points:
        best = None
        for distance in (8, 19, 30):
            for dx, dy, ha, va in ((0, 1, "center", "bottom"), (0, -1, "center", "top"), *SIDES):
                where = {"xytext": (dx * distance, dy * distance), "textcoords": "offset points"}
                label = axes.annotate(name, (x, y), ha=ha, va=va, fontsize=8.5, **where)
                box = label.get_window_extent()
                outside = box.x1 > figure.bbox.x1 or box.x0 < axes.bbox.x0
                hidden = sum(box.overlaps(other) for other in taken) + outside
                if best is None or hidden < best[0]:
                    if best:
                        best[1].remove()
                    best = (hidden, label, box)
                else:
                    label.remove()
        taken.append(best[2])
