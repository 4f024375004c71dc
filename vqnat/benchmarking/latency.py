"""Latency and throughput, the benchmark behind ``vqnat latency``."""

import argparse
import os
from collections.abc import Callable
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

from vqnat.benchmarking.engines.system_loading import load_system
from vqnat.benchmarking.engines.system_specs import SystemSpec, check_names, parse_system, read_systems
from vqnat.benchmarking.harness import sentences as data
from vqnat.benchmarking.harness.device import choose_device, use_threads
from vqnat.benchmarking.harness.memory import peak_memory
from vqnat.benchmarking.harness.phases import measure_phases
from vqnat.benchmarking.harness.processes import OwnProcesses
from vqnat.benchmarking.harness.records import system_records
from vqnat.benchmarking.harness.rounds import measure
from vqnat.benchmarking.quality import Scorer, translate_all
from vqnat.benchmarking.reports.latency_plot import draw
from vqnat.benchmarking.reports.quality_plot import draw_quality
from vqnat.checkpoints.reading import checkpoint_file
from vqnat.decoding.rescoring import HELPER
from vqnat.errors import UserError
from vqnat.records import results
from vqnat.terminal.progress import Steps
from vqnat_serving.console import say
from vqnat_serving.cores import check_threads


def run(
    options: argparse.Namespace,
    steps: Steps,
    show: Callable[[dict[str, Any]], None],
    scorer: Callable[[str, str], Scorer] | None = None,
) -> None:
    """Measure, show, write.

    Args:
        options: see ``latency_options``.
        steps: shows what is being measured; it must not draw by itself.
        show: called with all figures before anything is written.
        scorer: for ``--raw``: the languages of the data -> what scores the translations of the split.

    Raises:
        UserError: an option is impossible, or a file is missing.
    """
    check_threads(options.threads, "--threads", least=1)
    specs = [parse_system(text) for text in options.system]
    specs += read_systems(options.systems) if options.systems else []
    for spec in specs:
        if spec.threads is not None:
            check_threads(spec.threads, f"--system {spec.name}: threads", least=1)
    baseline = check_names(specs, options.baseline)
    device = choose_device(options.device)
    test_set = data.open_test_set(options.data, options.gen_subset, options.source_lang, options.target_lang)
    sentences = data.read_sentences(test_set)
    score = scorer(test_set.source, test_set.target) if scorer else None
    long_enough = data.choose(sentences, options.min_source_words, options.min_target_words)
    counts = options.sentences or [None]
    if len(counts) not in (1, len(options.batch_size)):
        given = " ".join(map(str, counts))
        raise UserError(f"--sentences {given}: needed one number, or {len(options.batch_size)}, as of --batch-size")
    counts = counts * len(options.batch_size) if len(counts) == 1 else counts
    batches, *larger = (
        data.batches(long_enough, size, count, options.force_lengths)
        for size, count in zip(options.batch_size, counts, strict=True)
    )
    by_id = {sentence.id: sentence for sentence in sentences}
    chosen = [by_id[number] for batch in batches for number in batch.ids]

    use_threads(options.threads)
    loaders = {
        spec.name: partial(load_system, spec, test_set, device, options.threads, options.user_dir) for spec in specs
    }
    systems = [load() for load in loaders.values()]
    load_before = os.getloadavg()
    machine = results.machine()
    if load_before[0] > machine["logical_cores"] - options.threads:
        say("latency", f"the machine is busy: load {load_before[0]:.1f} on {machine['logical_cores']} logical cores")
    apart = device == "cpu" and any(system.description["threads"] > 1 for system in systems)
    try:
        with ExitStack() as stack:
            timed = stack.enter_context(OwnProcesses(loaders, device)).timed if apart else None
            measured = []
            for size, group in zip(options.batch_size, [batches, *larger], strict=True):
                label = f"batch size {size}, " if larger else ""
                how = (options.repeats, options.warmup, options.seed, device, steps, label, timed)
                measured.append(measure(systems, group, *how))
    except BrokenProcessPool:
        raise UserError(
            "the process of a system died; with several threads each needs memory of its own: give fewer --system"
        ) from None
    load_after = os.getloadavg()
    steps.step("phases")
    phased = [] if apart else [system for system in systems if system.phases()]
    phases = {system.name: measure_phases(system, batches, device) for system in phased}
    memory: dict[str, Any] = {}
    for name, load in {} if options.no_memory else loaders.items():
        steps.step(f"memory of {name}")
        try:
            memory[name] = peak_memory(load, batches, device)
        except BrokenProcessPool:  # killed, for example for lack of memory; the timings are still worth keeping
            say("latency", f"memory of {name}: its process died")
    use_threads(options.threads)
    further = [
        {
            "batch_size": size,
            "batches": [list(batch.ids) for batch in group],
            "systems": system_records(systems, group, found, {}, {}, baseline, options.seed),
        }
        for size, group, found in zip(options.batch_size[1:], larger, measured[1:], strict=True)
    ]

    quality: dict[str, Any] = {}
    if score:
        translations = translate_all(systems, test_set, sentences, steps)
        quality = {name: score(texts) for name, texts in translations.items()}

    result = {
        "subset": options.gen_subset,
        "direction": f"{test_set.source}-{test_set.target}",
        "device": device,
        "threads": options.threads,
        "batch_size": options.batch_size[0],
        "lengths": "forced" if options.force_lengths else "as decoded",
        "repeats": options.repeats,
        "turns": "rounds, in processes of their own" if apart else "batches",
        "warmup": options.warmup,
        "baseline": baseline,
        "sentences": {
            "in_subset": len(sentences),
            "min_source_words": options.min_source_words,
            "min_target_words": options.min_target_words,
            "measured": len(chosen),
            "mean_source_tokens": sum(len(s.source) for s in chosen) / len(chosen),
            "mean_target_words": sum(s.target_words for s in chosen) / len(chosen),
        },
        "batches": [list(batch.ids) for batch in batches],
        "load_average": {"before": load_before[0], "after": load_after[0]},
        "systems": [
            record | ({"quality": quality[record["name"]]} if quality else {})
            for record in system_records(
                systems, batches, measured[0], phases, memory, baseline, options.seed, [s.name for s in systems]
            )
        ],
        "further": further,
    }
    steps.close()
    show(result)
    if options.json:
        results.write_json(options.json, result | results.provenance(options.seed, _inputs(test_set, specs)))
    if options.plot:
        draw(result, options.plot)
    if options.plot_quality:
        draw_quality(result, options.plot_quality)


def _inputs(test_set: data.TestSet, specs: list[SystemSpec]) -> dict[str, Path]:
    inputs = {path.name: path for path in test_set.files()}
    for spec in specs:
        files = sorted(p for p in spec.checkpoint.rglob("*") if p.is_file()) if spec.checkpoint.is_dir() else []
        for path in files or [spec.checkpoint]:
            suffix = f"/{path.relative_to(spec.checkpoint)}" if files else ""
            inputs[f"checkpoint of {spec.name}{suffix}"] = path
        if spec.rescore_with not in (None, HELPER):
            inputs[f"teacher of {spec.name}"] = checkpoint_file(Path(spec.rescore_with))
    return inputs
