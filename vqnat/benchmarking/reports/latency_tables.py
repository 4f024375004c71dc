"""The latency benchmark's result as text for the terminal."""

from collections.abc import Mapping, Sequence
from typing import Any

from tabulate import tabulate

from vqnat.terminal.tables import Table


def phase_names(systems: Sequence[Mapping[str, Any]]) -> list[str]:
    """The phases of all systems in the order in which they run, as far as the systems with most phases tell."""
    splits = sorted((system["phases_ms"] or {} for system in systems), key=len, reverse=True)
    names = list(dict.fromkeys(name for split in splits for name in split))
    for last in ("decoder", "rescoring", "rest", "total"):
        if last in names:
            names.remove(last)
            names.append(last)
    return names


def tables(result: Mapping[str, Any]) -> str:
    """The figures of all systems, then how each spends its time, as plain text."""
    return "\n\n".join(
        part if isinstance(part, str) else tabulate(part.rows, part.header, tablefmt="simple", disable_numparse=True)
        for part in parts(result)
    )


def parts(result: Mapping[str, Any]) -> list[str | Table]:
    """The same as paragraphs and tables."""
    systems = result["systems"]
    rows = []
    for system in systems:
        times, faster, memory = system["latency_ms"], system["speedup"], system["memory_mib"] or {}
        error = times["standard_error"]
        quality = system.get("quality")
        rows.append(
            {
                "system": system["name"],
                **(_quality_cells(quality) if quality else {}),
                "decoding": " ".join(f"{key}={value}" for key, value in system.get("decoding", {}).items()),
                "ms": f"{times['mean']:.2f}" + ("" if error is None else f" ± {error:.2f}"),
                "p50": f"{times['p50']:.2f}",
                "p95": f"{times['p95']:.2f}",
                "speed-up": f"{faster['ratio']:.2f}",
                "95%": f"{faster['low']:.2f}..{faster['high']:.2f}",
                "rounds": "{median:.2f} ({min:.2f}..{max:.2f})".format_map(faster["rounds"]),
                "tok/s": f"{system['tokens_per_second']:.0f}",
                "tokens": f"{system['mean_output_tokens']:.1f}",
                "MiB": "" if memory.get("peak") is None else f"{memory['peak']:.0f}",
                "parameters": f"{system['parameters']:,}" if "parameters" in system else "",
            }
        )
    names = phase_names(systems)
    split = [
        {"system": system["name"]}
        | {name: f"{system['phases_ms'][name]:.2f}" if name in system["phases_ms"] else "" for name in names}
        for system in systems
        if system["phases_ms"]
    ]
    sentences = result["sentences"]
    found: list[str | Table] = [
        f"{sentences['measured']} sentences of {result['subset']}, batch size {result['batch_size']}, "
        f"{result['repeats']} rounds, {result['device']}, {result['threads']} threads; ms per sentence",
        _table(rows),
        f"speed-up: over {result['baseline']}, ratio of mean times; 95%: bootstrap over sentences; rounds: "
        "median (least..most) of single rounds; MiB: peak of a process of its own",
    ]
    if split:
        found += ["ms per sentence by phase, with timers on (a pass of its own)", _table(split)]
    return found


def _quality_cells(quality: Mapping[str, Any]) -> dict[str, str]:
    right = quality.get("right_translation_rate")
    cells = {"BLEU": f"{quality['sacrebleu']:.1f}", "chrF": f"{quality['chrf']:.1f}"}
    return cells if right is None else {**cells, "right %": f"{100 * right:.1f}"}


def _table(rows: Sequence[Mapping[str, str]]) -> Table:
    return Table(list(rows[0]), [list(row.values()) for row in rows])
