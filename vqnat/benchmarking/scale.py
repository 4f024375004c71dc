"""How time and memory grow with the data: ``scripts/benchmark_scale.py``.

The embedded grammar writes any number of pairs. Each stage runs in a process of its own, and the kernel tells the
processor time and the peak memory of it and its children. A stage that would take longer than its budget at the next
size is left out from there on. The runner then translates many sentences, and is asked again what it was asked first.
"""

import argparse
import os
import random
import subprocess
import sys
import tempfile
from operator import itemgetter
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

from vqnat.records.results import origin, provenance, write_json
from vqnat_serving.arguments import CommandParser, at_least
from vqnat_serving.console import run_program, say
from vqnat_serving.json_files import read_object

# A process inherits the peak of the one that started it, so a small one starts the stage.
LAUNCHER = """
import os, subprocess, sys
child = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL)
_, status, used = os.wait4(child.pid, 0)
print(os.waitstatus_to_exitcode(status), used.ru_utime + used.ru_stime, used.ru_maxrss)
"""
STAGES = ("write", "binarize", "journal", "merge", "score", "report")
HELD_OUT = 500  # pairs of valid, and of test
VOCABULARY = 1000
CHECKED = 200  # sentences that the runner is asked again
PART = 2000  # sentences between two looks at its memory


def parser() -> CommandParser:
    """All options."""
    p = CommandParser("benchmark_scale", "Time and memory against the size of the data.", extra="train")
    number = at_least(2 * HELD_OUT + 1)
    p.add_argument("--sizes", type=number, nargs="+", default=[10_000, 100_000], metavar="N", help="pairs")
    p.add_argument("--stages", nargs="*", choices=STAGES, default=STAGES, help="default: all")
    p.add_argument("--budget", type=float, default=600, metavar="S", help="processor seconds of a stage (default: 600)")
    p.add_argument("--runner", type=at_least(0), default=0, metavar="N", help="sentences that the runner translates")
    p.add_argument("--work", type=Path, metavar="DIR", help="where the data goes (default: a temporary folder)")
    p.add_argument("--json", type=Path, required=True, metavar="FILE", help="the result; earlier rows stay")
    return p


def main(argv: list[str] | None = None) -> int:
    """Measure."""
    return run_program(parser(), _measure, argv)


def _measure(options: argparse.Namespace) -> None:
    rows: list[dict[str, Any]] = []
    runner = None
    if options.json.exists():
        earlier = read_object(options.json, "a result of this benchmark")
        rows, runner = earlier["stages"], earlier["runner"]
    with tempfile.TemporaryDirectory(prefix="vqnat-scale-") as temporary:
        work = options.work or Path(temporary)
        for size in sorted(options.sizes):
            for stage in STAGES:
                if stage not in options.stages:
                    continue
                rows = [row for row in rows if (row["stage"], row["pairs"]) != (stage, size)]
                before = max((row for row in rows if row["stage"] == stage), key=itemgetter("pairs"), default=None)
                if (
                    before
                    and before["pairs"] < size
                    and before["cpu_seconds"] * size / before["pairs"] > options.budget
                ):
                    say("scale", f"{stage}, {size} pairs: left out, it would take more than {options.budget:g} s")
                    continue
                measured = run_stage(stage, size, work / str(size))
                row = {"stage": stage, "pairs": size, **measured, "measured": origin()}
                say("scale", f"{stage}, {size} pairs: {row['cpu_seconds']} s, {row['peak_mib']} MiB")
                rows.append(row)
                _write(options.json, rows, runner)
    if options.runner:
        _write(options.json, rows, run_runner(options.runner))


def _write(path: Path, rows: list[dict[str, Any]], runner: dict[str, Any] | None) -> None:
    rows = sorted(rows, key=lambda row: (STAGES.index(row["stage"]), row["pairs"]))
    write_json(path, {"stages": rows, "runner": runner, **provenance(1, {})})


def run_stage(stage: str, size: int, folder: Path) -> dict[str, Any]:
    """Processor time and peak memory of a stage, its children included; one at a time, as on one core."""
    folder.mkdir(parents=True, exist_ok=True)
    command = _command(stage, size, folder)
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    begun = perf_counter()
    launched = [sys.executable, "-S", "-c", LAUNCHER, *command]
    done = subprocess.run(launched, stdout=subprocess.PIPE, text=True, env=environment)
    status, seconds, kilobytes = map(float, done.stdout.split())
    if status:
        raise RuntimeError(f"{stage} failed with status {status:g}")
    return {
        "cpu_seconds": round(seconds, 2),
        "wall_seconds": round(perf_counter() - begun, 2),
        "peak_mib": round(kilobytes / 1024, 1),
    }


def _command(stage: str, size: int, folder: Path) -> list[str]:
    python = [sys.executable, "-m"]
    raw, out = folder / "raw", folder / "prepared"
    held_out = ("--valid", str(HELD_OUT), "--test", str(HELD_OUT))
    if stage == "write":
        return [*python, "vqnat", "embedded", "--out", str(raw), "--train", str(size - 2 * HELD_OUT), *held_out]
    if stage == "binarize":
        words = ("--raw", str(raw), "--out", str(out), "--vocabulary", str(VOCABULARY), "--workers", "1")
        return [*python, "vqnat.data.binarize", *words]
    return [*python, "vqnat.benchmarking.scale_stages", stage, str(folder)]


def run_runner(sentences: int) -> dict[str, Any]:
    """The runner with the small model, ``PART`` sentences at a time.

    Returns:
        ``sentences``, ``cpu_seconds``, ``same``: whether it says the same at the end as at the start, and ``memory``:
        pairs of the number of sentences and the resident MiB.
    """
    from vqnat.embedded.corpus import _new_pair
    from vqnat_serving import OnnxTranslator

    numbers, known = random.Random(7), set()
    checked = [_new_pair(numbers, known)[0] for _ in range(CHECKED)]
    translator = OnnxTranslator()
    first = translator.translate(checked)
    done, memory, begun = 0, [(0, resident())], process_time()
    while done < sentences:
        known.clear()  # or the benchmark itself would grow
        translator.translate([_new_pair(numbers, known)[0] for _ in range(PART)])
        done += PART
        memory.append((done, resident()))
    return {
        "sentences": done,
        "cpu_seconds": round(process_time() - begun, 1),
        "same": translator.translate(checked) == first,
        "checked": CHECKED,
        "memory": memory,
        "measured": origin(),
    }


def resident() -> float:
    """MiB of this process in memory."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return round(pages * os.sysconf("SC_PAGE_SIZE") / 2**20, 1)
