"""Disturbs programs at random moments and counts what comes of it; writes JSON, from which the docs make their table.

    scripts/faults.sh --trials 50 --flips 1000 --out benchmarks/faults.json

Each trial ends in one of three ways. ``same``: run again, the program has the result of an undisturbed one. ``lost``:
anything else; the detail is kept. Of flips: the reader ``named`` the file in one line, read the ``same``, or was
``wrong``. Commit nothing meanwhile: a packaged model names the commit.
"""

import argparse
import contextlib
import json
import math
import multiprocessing
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
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
    found.add_argument("--jobs", type=int, default=1, help="trials at a time (default: %(default)s)")
    found.add_argument("--out", type=Path, required=True, help="JSON file to write; rows that are not run again stay")
    return found


class Table:
    """Counts of one process in a file of its own, written often, so that a run that is cut short has its rows."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rows: dict[tuple[str, str], dict[str, Any]] = {}
        self.flips: list[dict[str, Any]] = []

    def count(self, work: str, fault: str, outcome: Any) -> None:
        row = self.rows.setdefault((work, fault), empty_row(work, fault))
        row["trials"] += 1
        row["hit"] += bool(outcome.kills)
        row["same"] += outcome.how == "same"
        if outcome.how == "lost":
            row["lost"].append(outcome.detail)
            print(f"faults: {work}: {fault}: {outcome.detail}", flush=True)
        self.write()

    def write(self) -> None:
        from vqnat.records.results import write_json

        write_json(self.path, {"trials": list(self.rows.values()), "flips": self.flips})


Task = Callable[[Table, random.Random], None]


def empty_row(work: str, fault: str) -> dict[str, Any]:
    return {"work": work, "fault": fault, "trials": 0, "hit": 0, "same": 0, "lost": []}


def add_up(
    parts: Sequence[Path], earlier: dict[str, Any], where: dict[str, Any], works: Sequence[str] = ()
) -> dict[str, list[dict[str, Any]]]:
    """The rows of all processes, measured ``where``, in the order of the works; earlier ones stay unless run again."""
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    flips: dict[str, dict[str, Any]] = {}
    for part in parts:
        if not part.exists():
            continue
        found = json.loads(part.read_text(encoding="utf-8"))
        flips |= {one["format"]: one | {"measured": where} for one in found["flips"]}
        for one in found["trials"]:
            key = one["work"], one["fault"]
            row = rows.setdefault(key, empty_row(*key) | {"measured": where})
            for name in ("trials", "hit", "same", "lost"):
                row[name] += one[name]
    kept = {(row["work"], row["fault"]): row for row in earlier.get("trials", [])}
    kept_flips = {one["format"]: one for one in earlier.get("flips", [])}
    order = {name: place for place, name in enumerate(works)}
    trials = sorted((kept | rows).values(), key=lambda row: order.get(row["work"], len(order)))
    return {"trials": trials, "flips": list((kept_flips | flips).values())}


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

    from vqnat.records.results import origin, provenance, write_json

    root = Path(tempfile.mkdtemp(prefix="faults"))
    base = make_inputs(options.inputs or root / "base")
    until = math.inf if options.minutes is None else time.monotonic() + 60 * options.minutes
    earlier = json.loads(options.out.read_text(encoding="utf-8")) if options.out.exists() else {}

    def wanted(name: str) -> bool:
        return not options.only or any(text in name for text in options.only)

    names = [*(work.name for work in all_works()), Server.name]
    known, made = {}, {}
    for index, work in enumerate(work for work in all_works() if wanted(work.name)):
        made[work.name] = root / f"work{index}"
        known[work] = killing.reference(work, base, made[work.name])
        shutil.copytree(made[work.name], base / "sizes" / work.name, dirs_exist_ok=True)
        print(f"faults: {work.name}: {known[work].seconds:.1f} s undisturbed", flush=True)

    # One of each work in turn, so that all have as many when time is up.
    tasks: list[Task] = []
    for form, folder in damaged(base, made, root) if options.flips else ():
        tasks.append(partial(flip, form=form, folder=folder, root=root, trials=options.flips))
    server = Server() if wanted(Server.name) else None
    for trial in range(options.trials):
        for index, work in enumerate(known):
            place = root / "trials" / f"{index}-{trial}"
            also = trial < others
            tasks.append(partial(disturb, work=work, base=base, place=place, known=known[work], with_others=also))
        if server is not None:
            tasks.append(partial(ask, server=server, with_others=trial < others))

    parts = [root / f"part{job}.json" for job in range(options.jobs)]
    workers = start(tasks, parts, until)
    about, where = provenance(SEED, {}), origin()
    while any(worker.exitcode is None for worker in workers):
        time.sleep(1)
        write_json(options.out, {**add_up(parts, earlier, where, names), **about})
    result = add_up(parts, {}, where)
    write_json(options.out, {**add_up(parts, earlier, where, names), **about})
    shutil.rmtree(root, ignore_errors=True)
    broken = any(worker.exitcode for worker in workers)  # it has said why
    lost = any(row["lost"] for row in result["trials"]) or any(row["wrong"] for row in result["flips"])
    return int(broken or lost)


def start(tasks: Sequence[Task], parts: Sequence[Path], until: float) -> list[multiprocessing.Process]:
    """One process for each part, each of which takes the next task until none is left or time is up."""
    forks = multiprocessing.get_context("fork")
    taken = forks.Value("q", 0)

    def work(part: Path) -> None:
        table = Table(part)
        while time.monotonic() < until:
            with taken.get_lock():
                number, taken.value = taken.value, taken.value + 1
            if number >= len(tasks):
                return
            tasks[number](table, random.Random(f"{SEED} {number}"))

    found = [forks.Process(target=work, args=(part,)) for part in parts]
    for process in found:
        process.start()
    return found


def disturb(
    table: Table, numbers: random.Random, work: Any, base: Path, place: Path, known: Any, with_others: bool
) -> None:
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


def ask(table: Table, numbers: random.Random, server: Server, with_others: bool) -> None:
    """Kill the server under load."""
    import serving

    for fault in ("SIGKILL", "SIGTERM") if with_others else ("SIGKILL",):
        table.count(server.name, fault, serving.kill_trial(server.right, numbers, SIGNALS[fault]))


def damaged(base: Path, made: dict[str, Path], root: Path) -> Iterator[tuple[Any, Path]]:
    """Every kind of file that the finished works left, and its folder."""
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
        with contextlib.suppress(KeyError):
            yield form, flipping.folder_of(form.name, made)


def flip(table: Table, numbers: random.Random, form: Any, folder: Path, root: Path, trials: int) -> None:
    """Damage one kind of file so many times."""
    import flipping

    found = flipping.flip(form, folder, root / "flipped" / form.name.replace("/", " "), numbers, trials)
    table.flips.append(
        {"format": form.name, "trials": trials, "named": found.named, "same": found.same, "wrong": found.wrong}
    )
    table.write()
    print(f"faults: {table.flips[-1]}", flush=True)


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    sys.exit(main())
