"""Quality and latency of the systems of one run, and samples of what they write: terminal, Markdown, report."""

import textwrap
from html import escape
from typing import Any

from vqnat.records import tables
from vqnat.records.tables import machine_name, markdown_table, number, percent

Results = dict[str, Any]


def ratio(system: dict[str, Any], name: str) -> str:
    """``3.31× (3.2–3.4)``: a speed-up with its 95 % interval."""
    value, spread = system.get(name), system.get(f"{name}_spread")
    if value is None:
        return "–"
    # a system has no interval over itself
    return f"{value:.2f}×" + (f" ({spread[0]:.1f}–{spread[1]:.1f})" if spread and spread[0] < spread[1] else "")


def header_and_rows(results: Results) -> tuple[list[str], list[list[str]]]:
    """One row per system; the column of right translations only if the corpus has that measure."""
    systems = results["systems"]
    rated = any(system["right_translation_rate"] is not None for system in systems)
    tokenised = not rated and any("bleu_tokenised_lowercased" in system for system in systems)
    header = ["system", bleu_name(results), "chrF"]
    header += ["right translations"] if rated else []
    header += ["tokenized lower-cased BLEU"] if tokenised else []
    header += ["ms per sentence", "speed-up over beam 4", "over greedy"]
    rows = []
    for system in systems:
        row = [system["name"], number(system["sacrebleu"]), number(system.get("chrf"))]
        if rated:
            row.append(percent(system["right_translation_rate"]))
        if tokenised:
            row.append(number(system.get("bleu_tokenised_lowercased", {}).get("score")))
        row.append(number(system["latency_ms"]["mean"]))
        row += [ratio(system, "speedup_over_beam4"), ratio(system, "speedup_over_greedy")]
        rows.append(row)
    return header, rows


def bleu_name(results: Results) -> str:
    """Heading of the ``sacrebleu`` column."""
    return "tokenized BLEU" if results.get("tokenised") else "sacreBLEU"


def origin(results: Results) -> str:
    """Where, with what and when the figures were measured, in one line."""
    words = f" of {results['latency_min_target_words']} words and more" if results["latency_min_target_words"] else ""
    commit = str(results.get("commit") or "unknown")[:12]
    note = f"{results['note'].rstrip('.')}. " if results.get("note") else ""
    return (
        f"{note}Latency: batch size 1, {results['sentences']['latency']} sentences{words}. "
        f"Measured on {machine_name(results.get('machine'))}, commit {commit}, seed {results['seed']}, "
        f"{str(results.get('date', 'date unknown'))[:10]}."
    )


def text_table(results: Results) -> str:
    """For the terminal."""
    return tables.text_table(*header_and_rows(results))


def markdown_systems(results: Results) -> str:
    """For a README."""
    table = markdown_table(*header_and_rows(results))
    return f"{table}\n\n{origin(results)} BLEU: `{results['systems'][0]['signature']}`."


def marked(output: dict[str, Any]) -> str:
    """An output with the grammar's verdict."""
    return {True: "✓ ", False: "✗ ", None: ""}[output["right"]] + (output["text"] or "(empty)")


def text_samples(results: Results, width: int = 100) -> str:
    """Samples for the terminal: a block of lines per sentence."""
    names = [system["name"] for system in results["systems"]]
    margin = max(map(len, [*names, "reference"])) + 2
    blocks = []
    for sample in results["samples"]:
        lines = [("source", sample["source"]), ("reference", sample["reference"])]
        lines += [(name, marked(sample["outputs"][name])) for name in names]
        blocks.append(
            "\n".join(
                textwrap.fill(
                    text,
                    max(width, margin + 20),
                    initial_indent=name.ljust(margin),
                    subsequent_indent=" " * margin,
                    max_lines=4,
                    placeholder=" …",
                )
                for name, text in lines
            )
        )
    return "\n\n".join(blocks)


def markdown_samples(results: Results) -> str:
    """Samples for a README: one small table per sentence."""
    blocks = []
    for sample in results["samples"]:
        rows = [("source", sample["source"]), ("reference", sample["reference"])]
        rows += [(name, marked(output)) for name, output in sample["outputs"].items()]
        body = "\n".join(f"| {name} | {escape(text, quote=False).replace('|', '&#124;')} |" for name, text in rows)
        blocks.append(f"| line {sample['line']} | |\n| --- | --- |\n{body}")
    return "\n\n".join([*blocks, origin(results)])


def markdown_codes(results: Results) -> str:
    """Codes for a README: those of each system that has any, on the validation set."""
    rated = any(system["right_translation_rate"] is not None for system in results["systems"])
    distilled = any(system["training"].get("codes_distilled_valid") for system in results["systems"])
    header = ["system", bleu_name(results), "chrF", *(["right translations"] if rated else [])]
    header += ["words right from true codes", "codes predicted right", "predictor, bits a code"]
    header += ["the same, distilled validation set"] if distilled else []
    header += ["code perplexity", "codes in use", "updates per second"]
    rows = []
    for system in results["systems"]:
        codes = system["training"].get("codes")
        if not codes:
            continue
        row = [system["name"], number(system["sacrebleu"]), number(system.get("chrf"))]
        row += [percent(system["right_translation_rate"])] if rated else []
        row += [percent(codes.get("words_right_from_true_codes")), percent(codes.get("predicted_right"))]
        row.append(number(codes.get("predictor_bits"), 2))
        if distilled:
            codes_distilled = system["training"].get("codes_distilled_valid") or {}
            row.append(number(codes_distilled.get("predictor_bits"), 2))
        row.append(number(codes.get("perplexity"), 0))
        row += [percent(codes.get("share_in_use")), number(system["training"].get("updates_per_second"), 2)]
        rows.append(row)
    return f"{markdown_table(header, rows)}\n\n{origin(results)}"


TEMPLATES = {"systems": markdown_systems, "samples": markdown_samples, "codes": markdown_codes}
