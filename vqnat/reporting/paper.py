"""A paper's table beside ours: its figures, our means over seeds, and the difference."""

from collections.abc import Callable, Sequence
from statistics import mean
from typing import Any

from vqnat.records.tables import markdown_table, number
from vqnat.reporting.seeds import spread
from vqnat.reporting.systems import Results, bleu_name, origin


def markdown_paper(results: Results | Sequence[Results]) -> str:
    """One row per system of the results; the paper's cells are dashes where it gives nothing.

    BLEU of two corpora cannot be compared, but how far a model stays behind the greedy teacher beside it can: the
    difference is ours of that less the paper's.

    Args:
        results: those with ``paper`` in their systems, or several of the same experiment, each of another seed.
    """
    runs = [results] if isinstance(results, dict) else list(results)
    teacher = next((s.get("paper", {}).get("bleu") for s in runs[0]["systems"] if s["name"] == runs[0]["greedy"]), None)
    header = ["system", "BLEU: paper", f"ours, {bleu_name(runs[0])}", "minus the greedy teacher: paper", "ours"]
    header += ["difference", "speed-up: paper", "ours", "seeds"]
    rows = []
    for name in dict.fromkeys(system["name"] for run in runs for system in run["systems"]):
        found = [(system, run) for run in runs for system in run["systems"] if system["name"] == name]
        # A teacher that several seeds share is one training, timed in each run.
        seeds = {system["training"].get("seed", run["seed"]): (system, _greedy(run)) for system, run in found}
        paper: dict[str, Any] = found[0][0].get("paper", {})
        behind = [system["sacrebleu"] - greedy for system, greedy in seeds.values() if greedy is not None]
        published = paper["bleu"] - teacher if "bleu" in paper and teacher is not None else None
        bleu = spread([system["sacrebleu"] for system, _ in seeds.values()], 1)
        row = [name, number(paper.get("bleu")), bleu]
        row += [_signed(published), spread(behind, 1, "{:+.{}f}")]
        row.append(_signed(mean(behind) - published if behind and published is not None else None))
        faster = spread([system["speedup_over_beam4"] for system, _ in found], 2, "{:.{}f}×")
        row += [_times(paper.get("speedup")), faster, str(len(seeds))]
        rows.append(row)
    note = f"Means over seeds, at most {len(runs)}; in brackets the least and the most. " if len(runs) > 1 else ""
    return f"{markdown_table(header, rows)}\n\n{note}Speed-ups are over the teacher with beam 4. {origin(runs[0])}"


def _greedy(run: Results) -> float | None:
    return next((system["sacrebleu"] for system in run["systems"] if system["name"] == run["greedy"]), None)


def _signed(value: float | None) -> str:
    return number(None) if value is None else f"{value:+.1f}"


def _times(value: float | None) -> str:
    return number(None) if value is None else f"{value:.2f}×"


TEMPLATES: dict[str, Callable[[Any], str]] = {"paper": markdown_paper}
