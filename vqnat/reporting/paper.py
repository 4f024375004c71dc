"""A paper's table beside ours: its figures, our means over seeds, and the difference."""

from collections.abc import Callable, Sequence
from statistics import mean
from typing import Any

from vqnat.records.tables import markdown_table, number
from vqnat.reporting.seeds import spread
from vqnat.reporting.systems import Results, bleu_name, origin


def markdown_paper(found: Results | Sequence[Results]) -> str:
    """One row per system of the results; the paper's cells are dashes where it gives nothing.

    Args:
        found: results with ``paper`` in their systems, or several of the same experiment, each of another seed.
    """
    runs = [found] if isinstance(found, dict) else list(found)
    header = ["system", "BLEU: paper", f"ours, {bleu_name(runs[0])}", "difference", "speed-up: paper", "ours", "seeds"]
    rows = []
    for name in dict.fromkeys(system["name"] for run in runs for system in run["systems"]):
        ours = [system for run in runs for system in run["systems"] if system["name"] == name]
        paper: dict[str, Any] = ours[0].get("paper", {})
        bleu = [system["sacrebleu"] for system in ours]
        faster = [system["speedup_over_beam4"] for system in ours]
        difference = f"{mean(bleu) - paper['bleu']:+.1f}" if "bleu" in paper else number(None)
        row = [name, number(paper.get("bleu")), spread(bleu, 1), difference]
        row += [_times(paper.get("speedup")), spread(faster, 2, "{:.{}f}×"), str(len(ours))]
        rows.append(row)
    note = f"Means over {len(runs)} seeds, in brackets the least and the most. " if len(runs) > 1 else ""
    return f"{markdown_table(header, rows)}\n\n{note}Speed-ups are over the teacher with beam 4. {origin(runs[0])}"


def _times(value: float | None) -> str:
    return number(None) if value is None else f"{value:.2f}×"


TEMPLATES: dict[str, Callable[[Any], str]] = {"paper": markdown_paper}
