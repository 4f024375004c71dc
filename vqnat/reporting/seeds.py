"""The same systems over several seeds, as one table."""

from collections.abc import Callable, Sequence
from statistics import mean
from typing import Any

from vqnat.records.tables import machine_name, markdown_table, number
from vqnat.reporting.systems import Results, bleu_name


def markdown_seeds(runs: Sequence[Results]) -> str:
    """One row per system: means over the runs, minimum and maximum in brackets.

    The last column is the number of seeds that a system was run with. The BLEU that is subtracted is that of the
    greedy baseline of the same run: the teacher that the system learned from.

    Args:
        runs: results files, each of another seed.

    Raises:
        ValueError: two runs have the same seed, or they are not of the same experiment.
    """
    seeds = [run["seed"] for run in runs]
    if len(set(seeds)) < len(seeds):
        raise ValueError(f"seeds {', '.join(map(str, seeds))}: must all be different")
    if len({(run["name"], run["direction"], run["greedy"]) for run in runs}) > 1:
        raise ValueError("these results are not of one experiment: name, direction or greedy system differ")
    names = list(dict.fromkeys(system["name"] for run in runs for system in run["systems"]))
    header = ["system", bleu_name(runs[0]), f"minus {runs[0]['greedy']}", "chrF", "speed-up over greedy", "seeds"]
    rows = []
    for name in names:
        found = [(_system(run, name), _system(run, run["greedy"])) for run in runs]
        found = [(ours, teacher) for ours, teacher in found if ours is not None]
        row = [
            spread([ours["sacrebleu"] for ours, _ in found], 1),
            spread([ours["sacrebleu"] - teacher["sacrebleu"] for ours, teacher in found if teacher], 1, "{:+.{}f}"),
            spread([ours["chrf"] for ours, _ in found], 1),
            spread([ours["speedup_over_greedy"] for ours, _ in found], 2, "{:.{}f}×"),
        ]
        rows.append([name, *row, str(len(found))])
    table = markdown_table(header, rows)
    made = sorted({str(run.get("commit") or "unknown")[:12] for run in runs})
    machines = sorted({machine_name(run.get("machine")) for run in runs})
    note = f"{runs[0]['note'].rstrip('.')}. " if runs[0].get("note") else ""
    return (
        f"{table}\n\n{note}Means over seeds {', '.join(map(str, sorted(seeds)))}; in brackets the least and the most. "
        f"Measured on {'; '.join(machines)}, commit {', '.join(made)}. BLEU: `{runs[0]['systems'][0]['signature']}`."
    )


def _system(run: Results, name: str) -> dict[str, Any] | None:
    return next((system for system in run["systems"] if system["name"] == name), None)


def spread(values: Sequence[float | None], digits: int, form: str = "{:.{}f}") -> str:
    """Mean, least and most: ``36.8 (36.5 to 37.0)``; a dash for what no run has."""
    known = [value for value in values if value is not None]
    if not known:
        return number(None)
    text = form.format(mean(known), digits)
    if len(known) == 1:
        return text
    return f"{text} ({form.format(min(known), digits)} to {form.format(max(known), digits)})"


TEMPLATES: dict[str, Callable[[Sequence[Results]], str]] = {"seeds": markdown_seeds}
