"""Time and memory of preparing parallel text, over the number of pairs; the text is of the embedded grammar.

The grammar repeats itself in a large text, so each sentence gets a number, which no other has.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from vqnat.records.results import provenance, write_json
from vqnat_serving.arguments import CommandParser, at_least
from vqnat_serving.console import run_program, say

BASE = 20000  # different pairs of the grammar, which the text repeats with other numbers


def parser() -> CommandParser:
    """All options."""
    p = CommandParser("benchmark_data_prep", "Times data-prep/prepare-bitext.sh at several sizes.", extra="train")
    sizes = [10000, 30000, 100000, 300000, 1000000]
    p.add_argument("--pairs", type=at_least(1000), nargs="+", default=sizes, metavar="N", help="sizes to measure")
    p.add_argument("--jobs", type=at_least(1), default=os.cpu_count() or 1, metavar="N", help="processes that clean")
    p.add_argument("--json", type=Path, required=True, metavar="FILE", help="file to write")
    return p


def main(argv: Sequence[str] | None = None) -> int:
    """Measure. Returns the exit status."""
    return run_program(parser(), _measure, argv)


def _measure(options: argparse.Namespace) -> None:
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder) / "base"
        words = ["--out", str(base), "--train", str(BASE), "--valid", "1", "--test", "1"]
        subprocess.run([sys.executable, "-m", "vqnat.embedded", *words], check=True, stdout=subprocess.DEVNULL)
        for size in options.pairs:
            text = _numbered(base, Path(folder), size)
            rows.append({"pairs": size, **_timed(text, Path(folder) / f"out{size}", options.jobs)})
            say("benchmark_data_prep", f"{size} pairs: {rows[-1]['seconds']} s, {rows[-1]['peak_mib']} MiB")
    write_json(options.json, {"jobs": options.jobs, "rows": rows} | provenance(None, {}))


def _numbered(base: Path, folder: Path, size: int) -> list[Path]:
    paths = []
    for language in ("en", "de"):
        lines = (base / f"train.{language}").read_text(encoding="utf-8").splitlines()
        path = folder / f"text{size}.{language}"
        with path.open("w", encoding="utf-8") as file:
            file.writelines(f"{lines[n % len(lines)]} {n}\n" for n in range(size))
        paths.append(path)
    return paths


def _timed(text: list[Path], out: Path, jobs: int) -> dict[str, Any]:
    """Seconds by the clock and of all processors, which others' work does not lengthen, and the largest memory."""
    words = ["--source", "en", "--target", "de", "--train", *map(str, text), "--hold-out", "500", "--out", str(out)]
    command = [sys.executable, "-m", "vqnat.data.prepare_bitext", *words, "--raw-only", "--language"]
    start = time.monotonic()
    process = subprocess.Popen([*command, "--jobs", str(jobs)], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    processors = usage.ru_utime + usage.ru_stime  # of children too, once they have ended
    seconds = {"seconds": round(time.monotonic() - start, 2), "processor_seconds": round(processors, 2)}
    return {**seconds, "peak_mib": round(usage.ru_maxrss / 1024, 1)}


if __name__ == "__main__":
    sys.exit(main())
