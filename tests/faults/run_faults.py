"""Disturbs programs at random moments and counts what comes of it; writes JSON, from which the docs make their table.

    scripts/faults.sh --trials 50 --flips 1000 --out benchmarks/faults.json

Each trial ends in one of three ways. ``same``: run again, the program has the result of an undisturbed one. ``lost``:
anything else; the detail is kept. Of flips: the reader ``named`` the file in one line, read the ``same``, or was
``wrong``.
"""

import argparse
import math
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
    """Rows of (work, fault) with counts; the file is written often, so that a run that is cut short has its rows."""

    def __init__(self, path: Path) -> None:
        from vqnat.records.results import provenance

        self.path = path
        self.rows: dict[tuple[str, str], dict[str, Any]] = {}
        self.flips: list[dict[str, Any]] = []
        self.about = provenance(SEED, {})

    def count(self, work: str, fault: str, outcome: Any) -> None:
        empty = {"work": work, "fault": fault, "trials": 0, "hit": 0, "same": 0, "lost": []}
        row = self.rows.setdefault((work, fault), empty)
        row["trials"] += 1
        row["hit"] += bool(outcome.kills)
        row["same"] += outcome.how == "same"
        if outcome.how == "lost":
            row["lost"].append(outcome.detail)
            print(f"faults: {work}: {fault}: {outcome.detail}", flush=True)
        self.write()

    def write(self) -> None:
        from vqnat.records.results import write_json

        write_json(self.path, {"trials": list(self.rows.values()), "flips": self.flips, **self.about})


class Server:
    """The server in place of a work."""

    name = "server under load"

    def __init__(self) -> None:
        import serving

        self.right = serving.expected()


def main() -> int:
    options = parser().parse_args()
    others = options.others if options.others is not None else max(1, options.trials // 10)
    processes.preload()
    import killing
    from works import all_works, make_inputs

    root = Path(tempfile.mkdtemp(prefix="faults"))
    base = make_inputs(options.inputs or root / "base")
    table, numbers = Table(options.out), random.Random(SEED)
    until = math.inf if options.minutes is None else time.monotonic() + 60 * options.minutes

    def wanted(name: str) -> bool:
        return not options.only or any(text in name for text in options.only)

    known, made = {}, {}
    for index, work in enumerate(work for work in all_works() if wanted(work.name)):
        made[work.name] = root / f"work{index}"
        known[work] = killing.reference(work, base, made[work.name])
        shutil.copytree(made[work.name], base / "sizes" / work.name, dirs_exist_ok=True)
        print(f"faults: {work.name}: {known[work].seconds:.1f} s undisturbed", flush=True)
    if options.flips:
        flips(table, base, made, root, numbers, options.flips)
    server = Server() if wanted(Server.name) else None
    for trial in range(options.trials):  # one of each work in turn, so that all have as many when time is up
        for index, work in enumerate(known):
            if time.monotonic() < until:
                place = root / "trials" / f"{index}-{trial}"
                disturb(table, work, base, place, known[work], numbers, with_others=trial < others)
        if server is not None and time.monotonic() < until:
            ask(table, server, numbers, with_others=trial < others)
    shutil.rmtree(root, ignore_errors=True)
    return int(any(row["lost"] for row in table.rows.values()) or any(row["wrong"] for row in table.flips))


def disturb(table: Table, work: Any, base: Path, place: Path, known: Any, numbers: Any, with_others: bool) -> None:
    """One trial of SIGKILL, and one of each other fault if wanted."""
    import killing
    from surroundings import FAULTS, CannotMountError

    for fault, number in SIGNALS.items():
        if fault == "SIGKILL" or with_others:
            folder = place.with_name(f"{place.name}-{fault}")
            table.count(work.name, fault, killing.kill_trial(work, base, folder, known, numbers, number))
    for fault, trial_of in FAULTS.items() if with_others else ():
        if fault.startswith("worker") and "jobs" not in work.name:
            continue
        if fault.startswith("two runs") and len(work.commands(base, place)) > 1:
            continue
        folder = place.with_name(f"{place.name}-{fault.replace(' ', '-')}")
        try:
            table.count(work.name, fault, trial_of(work, base, folder, known, numbers))
        except CannotMountError:  # a disk of one's own needs privileges
            continue


def ask(table: Table, server: Server, numbers: random.Random, with_others: bool) -> None:
    """Kill the server under load."""
    import serving

    for fault in ("SIGKILL", "SIGTERM") if with_others else ("SIGKILL",):
        table.count(server.name, fault, serving.kill_trial(server.right, numbers, SIGNALS[fault]))


def flips(table: Table, base: Path, made: dict[str, Path], root: Path, numbers: random.Random, count: int) -> None:
    """Damage every kind of file that the finished works left."""
    import flipping

    made |= {"bin": base / "bin", "data": base / "data", "small export": flipping.small_export(root / "export")}
    for name in list(made):
        made.setdefault(name.partition(",")[0], made[name])  # any training, any distillation
    if "distillation" in made:
        made["distillation"] = made["distillation"] / "out"
        made["shard"] = flipping.unmerged(base, root / "shard")
    if "packaging" in made:
        made["packaging"] = made["packaging"] / "model"
    for form in flipping.formats():
        try:
            folder = flipping.folder_of(form.name, made)
        except KeyError:
            continue
        found = flipping.flip(form, folder, root / "flipped", numbers, count)
        row = {"format": form.name, "trials": count, "named": found.named, "same": found.same, "wrong": found.wrong}
        table.flips.append(row)
        table.write()
        print(f"faults: {row}", flush=True)


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    sys.exit(main())
