"""Latency and throughput, the benchmark behind ``scripts/benchmark_latency.py``."""

import argparse
import os
import sys
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from pathlib import Path
from typing import Any

from vqnat.benchmarking.engines.system_loading import load_system
from vqnat.benchmarking.engines.system_specs import CONVERTERS, SystemSpec, check_names, parse_system, read_systems
from vqnat.benchmarking.harness import sentences as data
from vqnat.benchmarking.harness.device import choose_device, use_threads
from vqnat.benchmarking.harness.memory import peak_memory
from vqnat.benchmarking.harness.phases import measure_phases
from vqnat.benchmarking.harness.records import system_records
from vqnat.benchmarking.harness.rounds import measure
from vqnat.benchmarking.reports.latency_plot import draw
from vqnat.benchmarking.reports.latency_tables import tables
from vqnat.checkpoints.reading import checkpoint_file
from vqnat.decoding.rescoring import HELPER
from vqnat.errors import UserError
from vqnat.records import results

SYSTEM = "a fairseq checkpoint, or a folder written by scripts/export.py or ct2-fairseq-converter (CTranslate2)"


def parser() -> argparse.ArgumentParser:
    """All options."""
    p = argparse.ArgumentParser(
        prog="benchmark_latency.py",
        description="Latency of translation systems: synchronized, warmed up, interleaved on the same sentences.",
        epilog=f"keys of --system: {', '.join(CONVERTERS)}. The defaults are fairseq-generate's, "
        "but task translation_lev needs iter=N (0 is one-shot).",
    )
    p.add_argument("data", type=Path, metavar="DATA_BIN", help="folder written by fairseq-preprocess --destdir")
    p.add_argument("--gen-subset", default="test", help="split to translate (default: test)")
    p.add_argument("-s", "--source-lang", help="default: from the file names")
    p.add_argument("-t", "--target-lang", help="default: from the file names")
    p.add_argument("--user-dir", type=Path, help="another fairseq plug-in to import")
    p.add_argument("--system", action="append", default=[], metavar="NAME=PATH[,key=value...]", help=SYSTEM)
    p.add_argument("--systems", type=Path, metavar="FILE.yaml", help="systems as a YAML list of mappings")
    p.add_argument("--baseline", metavar="NAME", help="system that speed-ups are relative to (default: the first)")
    text = "sentences per batch (default: 1); if several are given, phases and memory are measured for the first only"
    p.add_argument("--batch-size", type=_at_least(1), nargs="+", default=[1], metavar="N", help=text)
    text = "make every system write the mean length of the batch's references; for untrained models"
    p.add_argument("--force-lengths", action="store_true", help=text)
    text = "number of sentences, sampled evenly after sorting by source length; one number, or one per batch size"
    p.add_argument("--sentences", type=_at_least(1), nargs="+", metavar="N", help=text)
    for side in ("source", "target"):
        text = f"skip sentences with fewer {side} words, counted after joining subwords"
        p.add_argument(f"--min-{side}-words", type=_at_least(0), default=0, metavar="N", help=text)
    p.add_argument("--repeats", type=_at_least(1), default=5, help="rounds over all sentences (default: 5)")
    p.add_argument("--warmup", type=_at_least(0), default=3, help="untimed batches per system (default: 3)")
    p.add_argument("--threads", type=_at_least(1), default=1, help="threads of each engine (default: 1)")
    p.add_argument("--device", choices=("cpu", "cuda"), help="default: cuda if available")
    p.add_argument("--cpu", dest="device", action="store_const", const="cpu", help="the same as --device cpu")
    p.add_argument("--no-memory", action="store_true", help="skip peak memory, which takes a process per system")
    p.add_argument("--seed", type=int, default=1, help="seed of the measuring order and of the bootstrap (default: 1)")
    p.add_argument("--json", type=Path, metavar="OUT.json", help="write all figures to this file")
    p.add_argument("--plot", type=Path, metavar="OUT.png", help="plot latency by length, and phases")
    return p


def _at_least(least: int):
    def convert(text: str) -> int:
        value = int(text)
        if value < least:
            raise argparse.ArgumentTypeError(f"{text}: needed {least} or more")
        return value

    convert.__name__ = "whole number"  # argparse: "invalid whole number value"
    return convert


def main(arguments: list[str] | None = None) -> int:
    """Returns the exit status: 0, or 2 after one line on standard error about a user's mistake."""
    options = parser().parse_args(arguments)
    try:
        run(options)
    except UserError as error:
        print(f"benchmark_latency: {error}", file=sys.stderr)
        return 2
    return 0


def run(options: argparse.Namespace) -> None:
    """Measure, print, write."""
    specs = [parse_system(text) for text in options.system]
    specs += read_systems(options.systems) if options.systems else []
    baseline = check_names(specs, options.baseline)
    device = choose_device(options.device)
    for path in (options.json, options.plot):
        _check_writable(path)
    test_set = data.open_test_set(options.data, options.gen_subset, options.source_lang, options.target_lang)
    sentences = data.read_sentences(test_set)
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
        _say(f"the machine is busy: load {load_before[0]:.1f} on {machine['logical_cores']} logical cores")
    measurements = measure(systems, batches, options.repeats, options.warmup, options.seed, device, progress=_say)
    load_after = os.getloadavg()
    _say("phases")
    phases = {system.name: measure_phases(system, batches, device) for system in systems}
    memory: dict[str, Any] = {}
    for name, load in {} if options.no_memory else loaders.items():
        _say(f"memory of {name}")
        try:
            memory[name] = peak_memory(load, batches, device)
        except BrokenProcessPool:  # killed, for example for lack of memory; the timings are still worth keeping
            _say(f"memory of {name}: its process died")
    use_threads(options.threads)
    further = []
    for size, group in zip(options.batch_size[1:], larger, strict=True):
        _say(f"batch size {size}")
        found = measure(systems, group, options.repeats, options.warmup, options.seed, device, progress=_say)
        records = system_records(systems, group, found, {}, {}, baseline, options.seed)
        further.append({"batch_size": size, "batches": [list(batch.ids) for batch in group], "systems": records})

    result = {
        "subset": options.gen_subset,
        "direction": f"{test_set.source}-{test_set.target}",
        "device": device,
        "threads": options.threads,
        "batch_size": options.batch_size[0],
        "lengths": "forced" if options.force_lengths else "as decoded",
        "repeats": options.repeats,
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
        "systems": system_records(
            systems, batches, measurements, phases, memory, baseline, options.seed, [system.name for system in systems]
        ),
        "further": further,
    }
    print(tables(result))
    if options.json:
        results.write_json(options.json, result | results.provenance(options.seed, _inputs(test_set, specs)))
    if options.plot:
        draw(result, options.plot)


def _check_writable(path: Path | None) -> None:
    """Refuse an output path before hours of measuring, not after."""
    if path is None:
        return
    folder = next(parent for parent in path.absolute().parents if parent.exists())
    if path.is_dir() or not folder.is_dir() or not os.access(folder, os.W_OK):
        raise UserError(f"{path}: cannot be written")


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


def _say(line: str) -> None:
    print(f"benchmark_latency: {line}", file=sys.stderr, flush=True)
