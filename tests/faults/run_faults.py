"""Disturbs programs at random moments and counts what comes of it; writes JSON, from which the docs make their table.

    scripts/faults.sh --trials 50 --flips 1000 --out benchmarks/faults.json

Each trial ends in one of three ways. ``same``: run again, the program has the result of an undisturbed one. ``lost``:
anything else; the detail is kept. Of flips: the reader ``named`` the file in one line, read the ``same``, or was
``wrong``.
"""

import argparse
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import processes

SIGNALS = {"SIGKILL": signal.SIGKILL, "SIGTERM": signal.SIGTERM, "SIGINT": signal.SIGINT}
SEED = 1


def parser() -> argparse.ArgumentParser:
    found = argparse.ArgumentParser(prog="faults", description=__doc__.splitlines()[0])
    found.add_argument("--trials", type=int, default=3, help="of SIGKILL for each work (default: %(default)s)")
    found.add_argument("--others", type=int, default=None, help="of every other fault; default: a tenth, at least 1")
    found.add_argument("--flips", type=int, default=50, help="for each kind of file (default: %(default)s)")
    found.add_argument("--only", nargs="*", metavar="TEXT", help="only works whose name contains one of these texts")
    found.add_argument("--minutes", type=float, default=None, help="stop to begin trials after so many minutes")
    found.add_argument("--inputs", type=Path, default=None, help="folder for data and models; default: made anew")
    found.add_argument("--out", type=Path, required=True, help="JSON file to write")
    return found


class Table:
    """Rows of (work, fault) with counts, written after each row so that a run that is cut short has its rows."""

    def __init__(self, path: Path, options: argparse.Namespace) -> None:
        from vqnat.records.results import provenance

        self.path = path
        self.results: dict[str, Any] = {"trials": [], "flips": [], **provenance(SEED, {})}
        self.until = None if options.minutes is None else time.monotonic() + 60 * options.minutes

    def over(self) -> bool:
        return self.until is not None and time.monotonic() > self.until

    def add(self, kind: str, row: dict[str, Any]) -> None:
        from vqnat.records.results import write_json

        self.results[kind].append(row)
        write_json(self.path, self.results)
        print(f"faults: {row}", flush=True)

    def trials(self, work: str, fault: str, outcomes: list[Any]) -> None:
        lost = [outcome.detail for outcome in outcomes if outcome.how == "lost"]
        row = {"work": work, "fault": fault, "trials": len(outcomes), "hit": sum(bool(o.kills) for o in outcomes)}
        self.add("trials", row | {"same": len(outcomes) - len(lost), "lost": lost})


def main() -> int:
    options = parser().parse_args()
    others = options.others if options.others is not None else max(1, options.trials // 10)
    processes.preload()
    import killing
    from surroundings import FAULTS
    from works import all_works, make_inputs

    root = Path(tempfile.mkdtemp(prefix="faults"))
    base = make_inputs(options.inputs or root / "base")
    table = Table(options.out, options)
    numbers = random.Random(SEED)
    made: dict[str, Path] = {}
    for index, work in enumerate(all_works()):
        if options.only and not any(text in work.name for text in options.only):
            continue
        folder = root / f"work{index}"
        known = killing.reference(work, base, folder)
        made[work.name] = folder
        shutil.copytree(folder, base / "sizes" / work.name, dirs_exist_ok=True)
        for fault, number in SIGNALS.items():
            outcomes = []
            for trial in range(options.trials if fault == "SIGKILL" else others):
                if not table.over():
                    place = root / "trials" / f"{index}-{fault}-{trial}"
                    outcomes.append(killing.kill_trial(work, base, place, known, numbers, number))
            table.trials(work.name, fault, outcomes)
        for fault, disturb in FAULTS.items():
            if fault.startswith("worker") and "jobs" not in work.name:
                continue
            if fault.startswith("two runs") and len(work.commands(base, folder)) > 1:
                continue
            outcomes = []
            for trial in range(others):
                if not table.over():
                    place = root / "trials" / f"{index}-{fault.replace(' ', '-')}-{trial}"
                    outcomes.append(disturb(work, base, place, known, numbers))
            table.trials(work.name, fault, outcomes)
    if not options.only or "server" in options.only:
        serve(table, numbers, options.trials, others)
    if options.flips:
        flips(table, base, made, root, numbers, options.flips)
    shutil.rmtree(root, ignore_errors=True)
    bad = [row for row in table.results["trials"] if row["lost"]] + [r for r in table.results["flips"] if r["wrong"]]
    return int(bool(bad))


def serve(table: Table, numbers: random.Random, trials: int, others: int) -> None:
    """Kill the server under load."""
    import serving

    right = serving.expected()
    for fault in ("SIGKILL", "SIGTERM"):
        count = trials if fault == "SIGKILL" else others
        outcomes = [serving.kill_trial(right, numbers, SIGNALS[fault]) for _ in range(count) if not table.over()]
        table.trials("server under load", fault, outcomes)


def flips(table: Table, base: Path, made: dict[str, Path], root: Path, numbers: random.Random, count: int) -> None:
    """Damage every kind of file that the finished works left."""
    import flipping

    made |= {"bin": base / "bin", "data": base / "data"}
    if "distillation" in made:
        made["distillation"] = made["distillation"] / "out"
        made["shard"] = flipping.unmerged(base, root / "shard")
    for name, below in (("export", "onnx"), ("packaging", "model")):
        if name in made:
            made[name] = made[name] / below
    for form in flipping.formats():
        try:
            folder = flipping.folder_of(form.name, made)
        except KeyError:
            continue
        found = flipping.flip(form, folder, root / "flipped", numbers, count)
        row = {"format": form.name, "trials": count, "named": found.named, "same": found.same, "wrong": found.wrong}
        table.add("flips", row)


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    sys.exit(main())
