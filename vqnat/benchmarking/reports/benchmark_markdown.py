"""The benchmarks' results as Markdown, rendered into README files by ``scripts/render_tables.py``.

Every function takes the JSON that a benchmark wrote, as a dict.
"""

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from vqnat.benchmarking.codebook_names import PEAKS, RATIOS, TITLES
from vqnat.records.tables import machine_name, markdown_table, number, percent

QUALITY = {
    "sacrebleu": ("sacreBLEU", number),
    "chrf": ("chrF", number),
    "right_translation_rate": ("right translations", percent),  # of the embedded corpus
}
PERCENTILES = ("p50", "p95")
Result = Mapping[str, Any]


def markdown_latency(result: Result, over: Sequence[str] = ("greedy", "beam4")) -> str:
    """One row per system: ms per sentence at the first batch size, speed-ups, tokens per second at every batch size.

    Args:
        result: JSON of benchmark_latency.py.
        over: systems that speed-ups are over, if the run has them, besides the run's baseline.
    """
    runs = [result, *result["further"]]
    names = [system["name"] for system in result["systems"]]
    over = [*(name for name in over if name in names and name != result["baseline"]), result["baseline"]]
    known = result["systems"][0].get("quality", {})
    quality = {name: how for name, how in QUALITY.items() if known.get(name) is not None}
    header = ["system", *(title for title, _ in quality.values()), "ms per sentence"]
    header += [f"speed-up over {name}" for name in over]
    header += [f"tokens/s, batches of {run['batch_size']}" for run in runs]
    rows = []
    for index, system in enumerate(result["systems"]):
        row = [system["name"], *(shown(system["quality"][name]) for name, (_, shown) in quality.items())]
        row += [number(system["latency_ms"]["mean"])]
        row += [_speedup(system["speedups"][name]) if name != system["name"] else "1.00×" for name in over]
        row += [number(run["systems"][index]["tokens_per_second"], 0) for run in runs]
        rows.append(row)
    forced = "lengths forced to those of the references" if result.get("lengths") == "forced" else "lengths as decoded"
    sentences = result["sentences"]
    apart = result.get("turns", "batches") != "batches"
    turns = ", each system in a process of its own and a whole round at its turn" if apart else ""
    return f"{markdown_table(header, rows)}\n\n" + (
        f"{sentences['measured']} of {sentences['in_subset']} sentences, {forced}, {result['repeats']} rounds, "
        f"{_threads(result)}{turns}; ms and speed-ups at batch size "
        f"{result['batch_size']}; in brackets 95 % of a bootstrap over sentences, then the least and the most of "
        f"single rounds. {_origin(result)}"
    )


def markdown_training(result: Result) -> str:
    """One row per system: target tokens per second, and their ratio to the baseline's."""
    header = ["system", "target tokens/s", f"over {result['baseline']}", "parameters"]
    rows = []
    for system in result["systems"]:
        low, _, high = system["ratio_rounds"]
        spread = f" ({low:.2f}–{high:.2f})" if low < high else ""
        rows.append(
            [
                system["name"],
                number(system["tokens_per_second"], 0),
                f"{system['ratio']:.2f}{spread}",
                f"{system['parameters'] / 1e6:.1f} M",
            ]
        )
    return f"{markdown_table(header, rows)}\n\n" + (
        f"Batches of {result['max_tokens']} tokens, {result['repeats']} rounds over {len(result['batches'])} of them, "
        f"{_threads(result)}; in brackets the least and the "
        f"most of single rounds. Of all batches' positions, {result['padding']['source']:.1%} of the source and "
        f"{result['padding']['target']:.1%} of the target are pads. {_origin(result)}"
    )


def markdown_precisions(result: Result) -> str:
    """One row per engine and precision: BLEU, chrF, and the share of translations equal to those in fp32."""
    systems = result["systems"]
    chrf = all("chrf" in s for s in systems)  # older files lack it
    rows = []
    for s in systems:
        scores = [number(s[name], 2) for name in ("sacrebleu", *(["chrf"] if chrf else []))]
        rows.append([s["engine"], s["precision"], *scores, f"{s['identical']:.1%}"])
    header = ["engine", "precision", "sacreBLEU", *(["chrF"] if chrf else []), "translations as by torch in fp32"]
    return (
        f"{markdown_table(header, rows)}\n\n"
        f"{result['sentences']} sentences, beam {result['beam']}. {_measured(result)} BLEU: "
        f"`{systems[0]['signature']}`."
    )


def markdown_codebook(result: Result) -> str:
    """One row per shape: median step times, ratios within rounds, and peak memory if it was measured."""
    memory = any("peak_mib" in shape for shape in result["shapes"])
    ratios = {name: ratio.title for name, ratio in RATIOS.items() if ratio.title}
    header = ["N", "K", "D", *(f"{title}, ms" for title in TITLES.values()), *ratios.values()]
    header += [f"{TITLES[name]}, MiB" for name in PEAKS] if memory else []
    rows = []
    for shape in result["shapes"]:
        row = [str(shape["vectors"]), str(shape["codes"]), str(shape["dim"])]
        row += [number(median(shape["ms"][name]) if name in shape["ms"] else None, 1) for name in TITLES]
        for name in ratios:
            found = shape["ratios"].get(name)
            row.append(f"{found['median']:.2f} ({found['min']:.1f}–{found['max']:.1f})" if found else "–")
        row += [number(shape.get("peak_mib", {}).get(name), 0) for name in PEAKS] if memory else []
        rows.append(row)
    return f"{markdown_table(header, rows)}\n\n" + (
        f"{_threads(result)}; medians; in brackets the least and the most of single rounds; –: left out, its scores "
        f"alone would not fit. The machine's load was {result['load_average']:.1f} at the end. {_measured(result)}"
    )


def markdown_server(result: Result) -> str:
    """One row per number of clients: the server's sentences per second and times of answer, and the model's alone."""
    rows = []
    for s in result["systems"]:
        rate = s["sentences_per_second"]
        who = f"{s['clients']} clients" if s["system"] == "server" else f"batches of {s['clients']}"
        speed = f"{rate['median']:.0f} ({rate['min']:.0f}–{rate['max']:.0f})"
        rows.append(
            [s["system"], who.replace("1 clients", "1 client"), speed, *(number(s[f"{p}_ms"], 1) for p in PERCENTILES)]
        )
    return (
        f"{markdown_table(['system', 'load', 'sentences per second', *(f'{p}, ms' for p in PERCENTILES)], rows)}\n\n"
        + (
            f"{result['model']} in {result['precision']}, beam {result['beam']}, {_threads(result)}, "
            f"{result['workers']} worker(s), the embedded corpus; {result['rounds']} rounds in turn, in brackets "
            f"the least and the most. The machine's load was {result['load_average']:.1f} at the end. "
            f"{_measured(result)}"
        )
    )


def _speedup(found: Mapping[str, Any]) -> str:
    rounds = found["rounds"]
    return f"{found['ratio']:.2f}× ({found['low']:.1f}–{found['high']:.1f}; {rounds['min']:.1f}–{rounds['max']:.1f})"


def _origin(result: Result) -> str:
    load = result["load_average"]
    return f"The machine's load was {load['before']:.1f} before and {load['after']:.1f} after. {_measured(result)}"


def _measured(result: Result) -> str:
    commit, day = str(result.get("commit") or "unknown")[:12], str(result.get("date", "date unknown"))[:10]
    seed = f"seed {result['seed']}, " if result.get("seed") is not None else ""
    return f"Measured on {machine_name(result.get('machine'))}, commit {commit}, {seed}{day}."


def _threads(result: Result) -> str:
    return f"{result['threads']} {'thread' if result['threads'] == 1 else 'threads'}"


def markdown_start(result: Result) -> str:
    """One row per system: ms from a new process to its first translation, and its peak of memory."""
    rows = []
    for system in result["systems"]:
        ms = "{median:.0f} ({min:.0f}–{max:.0f})".format_map(system["ms"])
        rows.append([system["name"], ms, number(system["peak_mib"], 0)])
    return f"{markdown_table(['system', 'ms to the first translation', 'peak MiB'], rows)}\n\n" + (
        f"Medians of {result['rounds']} processes each, in turn; in brackets the least and the most. The machine's "
        f"load was {result['load_average']:.1f} at the end. {_measured(result)}"
    )


TEMPLATES = {
    "latency": markdown_latency,
    "training": markdown_training,
    "precisions": markdown_precisions,
    "codebook": markdown_codebook,
    "server": markdown_server,
    "start": markdown_start,
}
