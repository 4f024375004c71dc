"""Disturbed programs, damaged files and replicas as Markdown."""

from collections.abc import Mapping
from typing import Any

from vqnat.records.tables import markdown_table, measured

Result = Mapping[str, Any]


def markdown_faults(result: Result) -> str:
    """One row per program, one column per fault: trials that ended with the undisturbed result, of all trials."""
    faults = list(dict.fromkeys(row["fault"] for row in result["trials"]))
    works = list(dict.fromkeys(row["work"] for row in result["trials"]))
    found = {(row["work"], row["fault"]): row for row in result["trials"]}
    rows = [[work, *(_cell(found.get((work, fault))) for fault in faults)] for work in works]
    trials = sum(row["trials"] for row in result["trials"])
    hit = sum(row["hit"] for row in result["trials"])
    same = sum(row["same"] for row in result["trials"])
    return f"{markdown_table(['program', *faults], rows)}\n\n" + (
        f"Trials with the undisturbed result at the end, of all trials: {same} of {trials}; in {hit} of them the "
        f"program had not ended before. {measured(result['trials'])}"
    )


def markdown_flips(result: Result) -> str:
    """One row per kind of file: what its reader did when a bit was changed or the end cut off."""
    rows = [
        [flip["format"], *(str(flip[name]) for name in ("trials", "named", "same")), str(len(flip["wrong"]))]
        for flip in result["flips"]
    ]
    header = ["file", "trials", "named in one line", "read the same", "anything else"]
    return f"{markdown_table(header, rows)}\n\n{measured(result['flips'])}"


def markdown_replicas(result: Result) -> str:
    """One row per bottleneck and case: how far several processes are from one, at the last update."""
    rows = [
        [
            " ".join([row["bottleneck"], *([row["options"]] if row["options"] else [])]),
            f"{row['ranks']} × {row['update_freq']}",
            row["backend"],
            f"{row['loss']:.0e}",
            f"{row['tensors']:.0e}",
        ]
        for row in result["replicas"]
    ]
    header = ["bottleneck", "processes × batches each", "back end", "losses", "weights, codebook, moments"]
    return f"{markdown_table(header, rows)}\n\n" + (
        f"The largest absolute difference from one process after {result['updates']} updates, of the losses that are "
        f"logged of each update and of the tensors in the last checkpoint. {measured(result['replicas'])}"
    )


def _cell(row: Mapping[str, Any] | None) -> str:
    return "–" if row is None or not row["trials"] else f"{row['same']}/{row['trials']}"


TEMPLATES = {"faults": markdown_faults, "flips": markdown_flips, "replicas": markdown_replicas}
