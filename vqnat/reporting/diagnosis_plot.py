"""A diagnosis as one picture: BLEU by codes, bits per code by text, codes by position, wrong words by place."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

from vqnat.benchmarking.reports.latency_plot import COLORS as COLORS


def draw(result: Mapping[str, Any], path: Path) -> None:
    """Write the picture; the format follows the ending of ``path``."""
    figure, axes = plt.subplots(2, 2, figsize=(13, 8.5), layout="constrained")
    _bleu(axes[0, 0], result)
    _bits(axes[0, 1], result)
    _positions(axes[1, 0], result)
    _wrong_words(axes[1, 1], result)
    for each in axes.flat:
        each.grid(alpha=0.3)
        each.set_axisbelow(True)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=120)
    plt.close(figure)


def _bleu(axes: plt.Axes, result: Mapping[str, Any]) -> None:
    rows = [text for text in result["texts"] if text["name"] != "reference" and "sacrebleu" in text]
    for number, (name, label) in enumerate((("sacrebleu", "to the reference"), ("bleu_to_teacher", "to the teacher"))):
        values = [row[name] or 0 for row in rows]
        if number:  # the teacher's own text is 100 to itself
            values = [0 if row["name"].startswith("teacher, beam") else v for row, v in zip(rows, values, strict=True)]
        places = [n - 0.2 + 0.4 * number for n in range(len(rows))]
        bars = axes.barh(places, values, 0.38, color=COLORS[number], label=label)
        axes.bar_label(bars, [f"{value:.1f}" if value else "" for value in values], padding=2, fontsize=8)
    axes.margins(x=0.1)
    axes.set_yticks(range(len(rows)), [row["name"] for row in rows])
    axes.invert_yaxis()
    axes.set_xlabel(f"BLEU, {result['subset']}")
    axes.legend(fontsize=8, ncols=2, loc="lower center", bbox_to_anchor=(0.5, 1.0))


def _bits(axes: plt.Axes, result: Mapping[str, Any]) -> None:
    rows = [text for text in result["codes"] if "bits" in text]
    bars = axes.barh([row["name"] for row in rows], [row["bits"] for row in rows], color=COLORS[2])
    axes.bar_label(bars, [f"{row['bits']:.2f}; {row['right']:.0%} right" for row in rows], padding=3, fontsize=8)
    axes.invert_yaxis()
    axes.margins(x=0.25)
    axes.set_xlabel("predictor, bits a code")


def _positions(axes: plt.Axes, result: Mapping[str, Any]) -> None:
    least = max(1, result["sentences"] // 50)  # few sentences are so long that they have this position
    for number, (key, label) in enumerate(
        (
            ("right_on_distilled_validation", "guessed right, distilled validation"),
            ("greedy_as_teachers", f"greedy as the teacher's, {result['subset']}"),
        )
    ):
        line = [one["share"] for one in result["positions"][key] or [] if one["count"] >= least]
        axes.plot(range(1, len(line) + 1), line, marker="o", color=COLORS[number], label=label)
    axes.set_xlabel("position of the code")
    axes.set_ylabel("share")
    axes.set_ylim(0, 1)
    axes.legend(fontsize=8, loc="lower center", ncols=2, bbox_to_anchor=(0.5, 1.0))


def _wrong_words(axes: plt.Axes, result: Mapping[str, Any]) -> None:
    places = result["wrong_words"]["by_offset"] if result["wrong_words"] else []
    shares = [100 * (one["share"] or 0) for one in places]
    axes.bar([str(n + 1) for n in range(len(shares))], shares, color=COLORS[1])
    axes.set_xlabel("place of the word in its code")
    axes.set_ylabel("wrong words from the teacher's codes, %")
