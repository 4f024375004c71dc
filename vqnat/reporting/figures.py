"""The figures of the README and of docs/: SVG files drawn from committed result files.

Each function takes the parsed JSON of its result files and returns SVG that follows the reader's light or dark mode and
loads nothing. The same JSON gives the same bytes.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from vqnat.benchmarking.reports.quality_plot import pareto_front
from vqnat.reporting.svg_plots import FAINT, INK, SERIES, STYLE, place_labels, plt, standalone_svg

Results = Mapping[str, Any]

# What kind of system a point is: color and description. Names are those of the result files.
AUTOREGRESSIVE, LATENT, PARALLEL = 0, 1, 2
KINDS = {
    AUTOREGRESSIVE: "autoregressive",
    LATENT: "latent transformer",
    PARALLEL: "parallel decoder without latents",
}


def right_translations_against_latency(quality: Results) -> str:
    """The share of right translations against ms per sentence on the embedded corpus, from the quickstart."""
    kinds = {"teacher": AUTOREGRESSIVE, "lt": LATENT, "nat": PARALLEL}
    names = {"teacher": "teacher", "lt": "latent", "nat": "NAT"}
    systems = [system for system in quality["systems"] if not system["name"].endswith("_raw")]
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(figsize=(7.2, 3.4))
        labels = []
        for system in systems:
            family, _, rest = system["name"].removesuffix("_distilled").partition("_")
            x, y = system["latency_ms"]["mean"], 100 * system["right_translation_rate"]
            axes.plot(x, y, "o", ms=9, color=SERIES[kinds[family]], zorder=3)
            label = f"{names[family]} {rest}".replace("_", " ").replace("beam4", "beam 4").replace(" em", " EM")
            labels.append((x, y, label.strip()))
        _log_milliseconds(axes, (3, 5, 10, 20, 50), (3, 60))
        axes.set_ylim(0, 108)
        axes.set_ylabel("right translations, %")
        _kinds(axes, {kinds[system["name"].split("_")[0]] for system in systems})
        place_labels(axes, labels)
        return standalone_svg(figure, "Right translations against latency on the embedded corpus")


def codebook_use(results: Results) -> str:
    """For each bottleneck: how much of the codebook it uses, and what that is worth."""
    systems = [system for system in results["systems"] if system["training"].get("codes")]
    systems = sorted(systems, key=lambda system: system["right_translation_rate"])
    codes = [system["training"]["codes"] for system in systems]
    panels = (
        ("codes in use, %", [100 * one["share_in_use"] for one in codes], 0),
        ("codes predicted right, %", [100 * one["predicted_right"] for one in codes], 1),
        ("right translations, %", [100 * system["right_translation_rate"] for system in systems], 2),
    )
    with plt.rc_context(STYLE | {"axes.grid.axis": "x"}):
        figure, axes = plt.subplots(1, len(panels), figsize=(8.2, 4.2), sharey=True)
        for one, (title, values, color) in zip(axes, panels, strict=True):
            bars = one.barh([system["name"] for system in systems], values, color=SERIES[color], height=0.62)
            one.bar_label(bars, fmt="%.0f", padding=3, fontsize=8.5)
            one.set_xlim(0, 113)
            one.set_xticks(range(0, 101, 25))
            one.set_title(title, fontsize=10, loc="left")
            one.spines["left"].set_visible(False)
        figure.tight_layout(w_pad=1.2)
        return standalone_svg(figure, "Codebook use and what it is worth, by bottleneck")


# Rows of gap.json in the order in which they build on each other, with what each one changes.
METHODS = (
    ("base", "latents, nc = 2: the paper's model", LATENT),
    ("nc3", "… nc = 3", LATENT),
    ("ctc", "CTC without latents", PARALLEL),
    ("ctc_blank", "… with a penalty on blanks", PARALLEL),
    ("latent_ctc", "CTC's decoder reads the codes of the first row", LATENT),
    ("latent_ctc_expectation", "… reads how sure the predictor is", LATENT),
    ("latent_ctc_predictor", "… the predictor trained on", LATENT),
    ("latent_ctc_nc3", "with expectations from the start, nc = 3", LATENT),
    ("latent_ctc_nc3_predictor", "… the predictor trained on", LATENT),
    ("student_4_1", "an autoregressive student, 4 + 1 layers", AUTOREGRESSIVE),
)


def ablations(quality: Results) -> str:
    """What each method is worth on Multi30k: BLEU of the rows of gap.json beside the teacher's, and their speed."""
    systems = {name: named(quality["systems"], name) for name, *_ in METHODS}
    teachers = {name: named(quality["systems"], f"teacher_{name}")["sacrebleu"] for name in ("greedy", "beam4")}
    rows = list(reversed(METHODS))
    with plt.rc_context(STYLE | {"axes.grid.axis": "x"}):
        figure, axes = plt.subplots(figsize=(7.6, 3.7))
        lowest = min(system["sacrebleu"] for system in systems.values()) - 0.6
        for place, (name, _, kind) in enumerate(rows):
            score = systems[name]["sacrebleu"]
            axes.hlines(place, lowest, score, color=SERIES[kind], linewidth=2.5)
            axes.plot(score, place, "o", ms=9, color=SERIES[kind])
            faster = systems[name]["speedup_over_greedy"]
            for dx, text in ((0.15, f"{score:.1f}"), (0.75, f"{faster:.1f}×")):
                axes.annotate(text, (teachers["beam4"] + dx, place), va="center")
        top = len(rows) - 0.35
        for name, label in (("greedy", "teacher, greedy"), ("beam4", "beam 4")):
            axes.axvline(teachers[name], color=INK, linewidth=1, linestyle=(0, (4, 3)))
            axes.annotate(
                label, (teachers[name], top), (-4, 0), textcoords="offset points", ha="right", va="bottom", fontsize=9
            )
        for dx, label in ((0.15, "BLEU"), (0.75, "speed")):
            axes.annotate(label, (teachers["beam4"] + dx, top), va="bottom", fontsize=9)
        axes.set_yticks(range(len(rows)), [label for _, label, _ in rows])
        axes.set_xlim(lowest, teachers["beam4"] + 1.3)
        axes.set_ylim(-0.6, len(rows) + 0.2)
        axes.spines["left"].set_visible(False)
        axes.set_xlabel("sacreBLEU, Multi30k test_2016; speed over the greedy teacher, in torch")
        return standalone_svg(figure, "What each method is worth on Multi30k")


def base_size_latency(latency: Results) -> str:
    """ms per sentence of every system of the base-size benchmark, fastest first."""
    systems = sorted(latency["systems"], key=lambda system: -system["latency_ms"]["mean"])
    names = [system["name"] for system in systems]
    times = [system["latency_ms"]["mean"] for system in systems]
    first = {"lt": LATENT, "nat": PARALLEL, "iterative": PARALLEL, "cmlm": PARALLEL}
    kinds = [first.get(name.split("_")[0], AUTOREGRESSIVE) for name in names]
    with plt.rc_context(STYLE | {"axes.grid.axis": "x"}):
        figure, axes = plt.subplots(figsize=(7.2, 5.0))
        bars = axes.barh(names, times, color=[SERIES[kind] for kind in kinds], height=0.66)
        axes.bar_label(bars, fmt="%.0f", padding=3, fontsize=9)
        axes.set_xlim(0, max(times) * 1.08)
        axes.set_ylim(-0.6, len(names) - 0.4)
        axes.spines["left"].set_visible(False)
        axes.set_xlabel("ms per sentence, one sentence at a time, CPU; lengths forced to those of the references")
        _kinds(axes, set(kinds))
        return standalone_svg(figure, "Latency at base size")


# Beginnings of system names in trained.json -> kind and label; the rest of a name is engine, beam and precision.
MODELS = (
    ("teacher", AUTOREGRESSIVE, "teacher"),
    ("student_12_1", AUTOREGRESSIVE, "student 12 + 1"),
    ("student_4_1", AUTOREGRESSIVE, "student 4 + 1"),
    ("latent_ctc_nc3", LATENT, "latents + CTC, nc = 3"),
    ("latent_ctc", LATENT, "latents + CTC"),
    ("base", LATENT, "latents"),
    ("ctc", PARALLEL, "CTC"),
)
SERVED = ("fp32", "int8")  # what one would serve: CTranslate2's and our runner's, not torch's


def quality_against_speed(trained: Results) -> str:
    """BLEU of every served model against its latency and against its throughput, with both Pareto fronts.

    Args:
        trained: JSON of examples/latency/run_trained.sh.
    """
    runs = sorted([trained, *trained["further"]], key=lambda run: run["batch_size"])
    panels = (
        (runs[0], lambda ms: ms, "ms per sentence, one at a time"),
        (runs[-1], lambda ms: 1000 / ms, f"sentences per second, batches of {runs[-1]['batch_size']}"),
    )
    scores = {s["name"]: s["quality"]["sacrebleu"] for s in trained["systems"] if served(s["name"])}
    with plt.rc_context(STYLE):
        figure, both = plt.subplots(1, 2, figsize=(9.6, 4.4), sharey=True)
        labels, unnamed = list[list[tuple[float, float, str]]](), list[list[tuple[float, float]]]()
        for axes, (run, place, label) in zip(both, panels, strict=True):
            times = {system["name"]: system["latency_ms"]["mean"] for system in run["systems"]}
            front = pareto_front([(times[name], score) for name, score in scores.items()])
            axes.plot([place(ms) for ms, _ in front], [y for _, y in front], color=FAINT, linewidth=2.2, zorder=1)
            labels.append([])
            unnamed.append([])
            for name, score in scores.items():
                kind, text = model_of(name)
                x, color = place(times[name]), SERIES[kind]
                axes.plot(x, score, "o", ms=8, color=color, mfc="none" if "int8" in name else color, mew=1.7, zorder=3)
                if (times[name], score) in front:
                    labels[-1].append((x, score, text))
                else:
                    unnamed[-1].append((x, score))
            axes.set_xscale("log")
            axes.margins(x=0.25, y=0.15)
            low, high = axes.get_xlim()
            ticks = [t for power in range(-1, 6) for t in (10**power, 2 * 10**power, 5 * 10**power) if low <= t <= high]
            axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
            axes.set_xticks([], minor=True)
            axes.set_xlabel(f"{label}, {trained['threads']} thread")
        both[0].set_ylabel("sacreBLEU")
        _kinds(both[0], {model_of(name)[0] for name in scores})
        both[0].get_legend().set_in_layout(False)  # it reaches over both panels, and would push them apart
        figure.tight_layout(rect=(0, 0, 1, 0.95))
        for axes, names, others in zip(both, labels, unnamed, strict=True):
            place_labels(axes, names, others)
        return standalone_svg(figure, "BLEU against latency and throughput on Multi30k")


def served(name: str) -> bool:
    """Whether a system of trained.json is what one would serve."""
    return name.endswith(SERVED) and "_onnx_" not in name


def model_of(name: str) -> tuple[int, str]:
    """The kind of a system of trained.json, and what to call it."""
    kind, label = next((kind, label) for start, kind, label in MODELS if name.startswith(start))
    beam = ", beam 4" if "_beam4" in name else ""
    words = ", shortlist" if "_shortlist" in name else ""
    return kind, f"{label}{beam}{words}{', int8' if name.endswith('int8') else ''}"


def named(systems: Sequence[Results], name: str) -> Results:
    """The system of this name. Raises ValueError: the figure shows a row that the results no longer have."""
    for system in systems:
        if system["name"] == name:
            return system
    raise ValueError(f"no system {name!r}; there are {', '.join(system['name'] for system in systems)}")


def time_and_memory(scale: Results) -> str:
    """Processor time and peak memory of each stage against the number of pairs, beside a line of slope 1."""
    stages = list(dict.fromkeys(row["stage"] for row in scale["stages"]))
    with plt.rc_context(STYLE):
        figure, both = plt.subplots(1, 2, figsize=(8.4, 3.6))
        for axes, key, label in zip(
            both, ("cpu_seconds", "peak_mib"), ("processor seconds", "peak memory, MiB"), strict=True
        ):
            for place, stage in enumerate(stages):
                rows = [row for row in scale["stages"] if row["stage"] == stage]
                points = [(row["pairs"], row[key]) for row in rows]
                look = {"color": SERIES[place % 3], "mfc": "none", "ms": 4 + place, "linewidth": 1.3}
                look["linestyle"] = "-" if place < 3 else (0, (4, 2))
                axes.plot(*zip(*points, strict=True), "o", label=stage, **look)
            sizes = [row["pairs"] for row in scale["stages"]]
            ends = (min(sizes), max(sizes))
            if key == "cpu_seconds":
                axes.plot(ends, [end / 2000 for end in ends], color=FAINT, linewidth=3, zorder=0)
            axes.set_xscale("log")
            axes.set_yscale("log")
            axes.set_xlabel("pairs")
            axes.set_ylabel(label)
        both[1].legend(fontsize=9, loc="center left", bbox_to_anchor=(1.0, 0.5))
        figure.tight_layout()
        return standalone_svg(figure, "Time and memory against the number of pairs")


def _log_milliseconds(axes: Any, ticks: Sequence[int], limits: tuple[float, float]) -> None:
    axes.set_xscale("log")
    axes.set_xlim(*limits)
    axes.set_xticks(ticks, [str(tick) for tick in ticks])
    axes.set_xticks([], minor=True)
    axes.set_xlabel("ms per sentence, one sentence at a time, CPU")


def _kinds(axes: Any, kinds: set[int]) -> None:
    for kind in sorted(kinds):
        axes.plot([], [], "o", color=SERIES[kind], label=KINDS[kind])
    axes.legend(fontsize=9, ncols=3, loc="lower left", bbox_to_anchor=(-0.02, 1.0), handletextpad=0.2)


def data_preparation(results: Results) -> str:
    """Processor time and memory of preparing text over the number of pairs, both axes logarithmic."""
    pairs = [row["pairs"] for row in results["rows"]]
    with plt.rc_context(STYLE):
        figure, sides = plt.subplots(1, 2, figsize=(7.2, 3.0))
        wanted = (("processor_seconds", "seconds of a processor"), ("peak_mib", "MiB, at most"))
        for axes, (key, label), color in zip(sides, wanted, SERIES, strict=False):
            values = [row[key] for row in results["rows"]]
            axes.plot(pairs, values, "o-", color=color, linewidth=1.8)
            # In proportion to the largest size.
            axes.plot(pairs, [values[-1] * n / pairs[-1] for n in pairs], color=FAINT, linewidth=1.8, zorder=1)
            axes.set_xscale("log")
            axes.set_yscale("log")
            axes.set_xlabel("pairs; the faint line is in proportion")
            axes.set_ylabel(label)
        figure.tight_layout()
        return standalone_svg(figure, "Time and memory of preparing parallel text")


# Rows of roy_fig3, with what each is and its kind of line.
STABILITY = (
    ("lt_hard_em", "hard EM", "-"),
    ("lt_soft_em_5", "soft EM, 5 samples", (0, (4, 2))),
    ("lt_soft_em_10", "soft EM, 10 samples", (0, (1, 1.5))),
)


def stability(results: Results) -> str:
    """Words right from true codes, and codes predicted right, over trainings with 2^14 codes: Roy et al., figure 3."""
    with plt.rc_context(STYLE):
        figure, both = plt.subplots(1, 2, figsize=(8.4, 3.2))
        wanted = (
            ("words_right_from_true_codes", "words right from true codes, %"),
            ("predicted_right", "codes right, %"),
        )
        for axes, (key, label) in zip(both, wanted, strict=True):
            for place, (name, text, line) in enumerate(STABILITY):
                codes = named(results["systems"], name)["training"]["codes_by_update"]
                values = [100 * value for value in codes[key]]
                axes.plot(codes["updates"], values, linestyle=line, label=text, color=SERIES[place], linewidth=1.8)
            axes.set_ylim(bottom=0)
            axes.set_xlabel("updates")
            axes.set_ylabel(label)
        both[1].legend(fontsize=9, loc="center left", bbox_to_anchor=(1.0, 0.5))
        figure.tight_layout()
        return standalone_svg(figure, "Hard and soft EM with 16,384 codes")


def entropy_weight(results: Results) -> str:
    """Squared error and perplexity of GM-VQ against the weight of its entropy: Yan et al. 2024, figure 4."""
    rows = results["tables"]["gmvq"]["rows"]
    weights = [row["title"].rsplit(" ", 1)[1] for row in rows]
    panels = (
        ("MSE × 10⁻³", (("mse_e3", "", "-"),)),
        ("perplexity", (("ppl_soft", "soft", "-"), ("ppl_hard", "hard", (0, (4, 2))))),
    )
    with plt.rc_context(STYLE):
        figure, both = plt.subplots(1, 2, figsize=(7.2, 2.9))
        for axes, (label, lines) in zip(both, panels, strict=True):
            for place, (key, text, line) in enumerate(lines):
                values = [row["figures"][key] for row in rows]
                axes.plot(weights, values, "o", ls=line, label=text, color=SERIES[place], lw=1.8, ms=6, clip_on=False)
            axes.set_ylim(bottom=0)
            axes.set_xlabel("weight of the entropy")
            axes.set_ylabel(label)
        both[1].legend(fontsize=9, loc="lower right")
        figure.tight_layout()
        return standalone_svg(figure, "GM-VQ by the weight of its entropy")


# file in docs/figures -> (function, result files)
FIGURES: dict[str, tuple[Callable[..., str], tuple[str, ...]]] = {
    "quality-speed.svg": (quality_against_speed, ("examples/multi30k/trained.json",)),
    "embedded.svg": (right_translations_against_latency, ("examples/quickstart/results.json",)),
    "codebook-use.svg": (codebook_use, ("examples/embedded/results.json",)),
    "ablations.svg": (ablations, ("examples/multi30k/gap.json",)),
    "base-size.svg": (base_size_latency, ("examples/latency/latency.json",)),
    "scale.svg": (time_and_memory, ("benchmarks/scale.json",)),
    "stability.svg": (stability, ("examples/papers/text.seed1.json",)),
    "entropy.svg": (entropy_weight, ("examples/cifar10/entropy.json",)),
    "data-prep.svg": (data_preparation, ("benchmarks/data_prep.json",)),
}
