"""What was fuzzed, what was found, and how time and memory grow, as Markdown."""

import math
from collections.abc import Callable
from typing import Any

from vqnat.records.tables import markdown_table, measured

Results = dict[str, Any]
STAGES = {
    "write": "write the corpus (`vqnat embedded`)",
    "binarize": "vocabulary and binary splits (`data-prep/binarize.py`)",
    "journal": "distillation: plan and journal, without a teacher",
    "merge": "distillation: merge",
    "score": "BLEU, chrF, right translations",
    "report": "read a training log of a tenth as many lines",
}


def markdown_fuzzing(results: Results) -> str:
    """One row a reader: inputs tried, how many were refused by one line, bugs that are left."""
    rows = [
        (row["reader"], row["engine"], f"{row['inputs']:,}", f"{row['refused']:,}", str(len(row["bugs"])))
        for row in results["readers"]
    ]
    total = sum(row["inputs"] for row in results["readers"])
    left = sum(len(row["bugs"]) for row in results["readers"])
    rows.append(("all", "", f"{total:,}", f"{sum(row['refused'] for row in results['readers']):,}", str(left)))
    table = markdown_table(("reader", "engine", "inputs", "refused", "bugs left"), rows)
    return f"{table}\n\nSeed {results['seed']}. {measured(results['readers'])}"


def markdown_found(results: Results) -> str:
    """One row a bug: where, what happened, and the test that it stays away."""
    rows = []
    for where, what, test in results["found"]:
        file, _, name = test.partition("::")
        rows.append((where, what, f"`{name}` in `{file}`"))
    return markdown_table(("reader", "what happened", "test"), rows)


def markdown_scale(results: Results) -> str:
    """One row a stage and size, with the exponent of its growth from the size before; then the runner."""
    rows, measurements = [], list(results["stages"])
    before: Results = {}
    for row in results["stages"]:
        growth = "–"
        if before.get("stage") == row["stage"]:
            growth = f"{_exponent(before, row):.2f}"
        seconds = f"{row['cpu_seconds']:,.1f}"
        rows.append((STAGES[row["stage"]], f"{row['pairs']:,}", seconds, growth, f"{row['peak_mib']:,.0f}"))
        before = row
    table = markdown_table(("stage", "pairs", "processor seconds", "exponent", "peak MiB"), rows)
    text = "Exponent: of the time against the size, from the row above; 1 is linear, less where the start weighs. "
    if runner := results["runner"]:
        measurements.append(runner)
        (_, first), (_, last) = runner["memory"][0], runner["memory"][-1]
        half = runner["memory"][len(runner["memory"]) // 2][1]
        said = "the same" if runner["same"] else "something else"
        text += (
            f"The runner with the small model translated {runner['sentences']:,} sentences in "
            f"{runner['cpu_seconds']:,.0f} processor seconds; resident memory {first:.0f} MiB at the start, "
            f"{half:.0f} after half of them, {last:.0f} at the end; asked again for {runner['checked']} sentences it "
            f"said {said} as before. "
        )
    return f"{table}\n\n{text}{measured(measurements)}"


def _exponent(before: Results, row: Results) -> float:
    return math.log(row["cpu_seconds"] / before["cpu_seconds"]) / math.log(row["pairs"] / before["pairs"])


TEMPLATES: dict[str, Callable[[Any], str]] = {
    "fuzzing": markdown_fuzzing,
    "found": markdown_found,
    "scale": markdown_scale,
}
