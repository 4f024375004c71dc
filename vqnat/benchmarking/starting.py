"""How long a new process takes to its first translation, the benchmark behind ``scripts/benchmark_start.py``.

Every measurement is a process of its own: it imports the engine, loads the model from disk caches that are warm, and
translates one sentence, from text to text. Engines take turns, in random order within a round.
"""

import argparse
import os
import random
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from vqnat.errors import UserError
from vqnat.records.results import ROOT, provenance, shown, write_json
from vqnat.records.tables import text_table

DESCRIPTION = """Import, load and first translation of our runner and of CTranslate2, each in a new process.

scripts/benchmark_start.py --model EXPORT --teacher TEACHER --json FILE
"""
# What runs in the new process. It prints its peak of memory, in KiB.
PEAK = "\nimport resource; print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
OURS = """
import sys
from vqnat_serving import OnnxTranslator
folder, precision, engine, sentence = sys.argv[1:]
OnnxTranslator(folder, precision=precision, engine=engine).translate([sentence])
"""
CTRANSLATE2 = """
import sys
import ctranslate2, sentencepiece
folder, precision, subwords, sentence = sys.argv[1:]
pieces = sentencepiece.SentencePieceProcessor(model_file=subwords)
translator = ctranslate2.Translator(folder, compute_type=precision, inter_threads=1, intra_threads=1)
found = translator.translate_batch([pieces.encode(sentence, out_type=str)], beam_size=1)
pieces.decode(found[0].hypotheses[0])
"""
COMPUTE_TYPES = {"fp32": "float32", "int8": "int8"}


def parser() -> argparse.ArgumentParser:
    """All options."""
    p = argparse.ArgumentParser(description=DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--model", type=Path, required=True, metavar="DIR", help="what vqnat export wrote")
    text = "the teacher's model folder, with ctranslate2/ (vqnat export) and a sentencepiece model"
    p.add_argument("--teacher", type=Path, required=True, metavar="DIR", help=text)
    p.add_argument("--sentence", default="Two young men are out in the park.", help="what is translated")
    p.add_argument("--rounds", type=int, default=11, metavar="N", help="processes of each engine (default: 11)")
    p.add_argument("--seed", type=int, default=1, metavar="N", help="of the orders (default: 1)")
    p.add_argument("--json", type=Path, metavar="FILE", help="write all figures to this file")
    return p


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print, write. Raises UserError."""
    options = parser().parse_args(arguments)
    if options.rounds < 1:
        raise UserError(f"--rounds {options.rounds}: needed 1 or more")
    systems = programs(options.model, options.teacher, options.sentence)
    found = measure(systems, options.rounds, options.seed)
    records = [record(name, runs) for name, runs in found.items()]
    print(table(records))
    if options.json:
        files = [*options.model.rglob("*"), *(options.teacher / "ctranslate2").rglob("*")]
        inputs = {str(path.relative_to(path.parents[1])): path for path in sorted(files) if path.is_file()}
        result = {
            "model": shown(options.model),
            "teacher": shown(options.teacher),
            "sentence": options.sentence,
            "rounds": options.rounds,
            "load_average": os.getloadavg()[0],
            "systems": records,
        }
        write_json(options.json, result | provenance(options.seed, inputs))


def programs(model: Path, teacher: Path, sentence: str) -> dict[str, list[str]]:
    """System -> command line. Raises UserError."""
    converted, models = teacher / "ctranslate2", sorted(teacher.glob("*.model"))
    if not (converted / "model.bin").is_file() or not models:
        raise UserError(f"--teacher {teacher}: needed a model folder with ctranslate2/ and a sentencepiece model")
    start = [sys.executable, "-c"]
    found = {}
    for precision in ("fp32", "int8"):
        for engine in ("native", "onnx"):
            found[f"ours_{engine}_{precision}"] = [*start, OURS + PEAK, str(model), precision, engine, sentence]
        words = [str(converted), COMPUTE_TYPES[precision], str(models[0]), sentence]
        found[f"ctranslate2_greedy_{precision}"] = [*start, CTRANSLATE2 + PEAK, *words]
    return found


def measure(systems: Mapping[str, list[str]], rounds: int, seed: int) -> dict[str, list[tuple[float, float]]]:
    """System -> (ms, MiB at the peak) of each process, after one that is not counted.

    Raises:
        UserError: a process fails.
    """
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}

    def once(name: str) -> tuple[float, float]:
        start = time.perf_counter()
        done = subprocess.run(systems[name], capture_output=True, text=True, env=environment, check=False)
        ms = (time.perf_counter() - start) * 1000
        if done.returncode:
            raise UserError(f"{name}: {(done.stderr.strip().splitlines() or ['failed'])[-1]}")
        return ms, int(done.stdout.split()[-1]) / 1024

    order = random.Random(seed)
    for name in systems:
        once(name)
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in systems}
    for _ in range(rounds):
        for name in order.sample(list(systems), len(systems)):
            found[name].append(once(name))
    return found


def record(name: str, runs: Sequence[tuple[float, float]]) -> dict[str, Any]:
    """Figures of one system."""
    times = [ms for ms, _ in runs]
    return {
        "name": name,
        "ms": {"median": median(times), "min": min(times), "max": max(times)},
        "peak_mib": median(mib for _, mib in runs),
        "all_ms": [round(ms, 1) for ms in times],
    }


def table(records: Sequence[Mapping[str, Any]]) -> str:
    """The records for the terminal."""
    rows = [
        [one["name"], "{median:.0f} ({min:.0f}..{max:.0f})".format_map(one["ms"]), f"{one['peak_mib']:.0f}"]
        for one in records
    ]
    return text_table(["system", "ms to the first translation", "peak MiB"], rows)
