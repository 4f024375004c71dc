#!/usr/bin/env python3
"""The quickstart's workflow at toy size, killed by kill -9 of its whole process group at random moments and continued:
each time the end must be that of a run that was never stopped. Takes a while, so no test runs it.

    tests/workflow/kills.py [--kills N] [--seed N] [--dir DIR] [--json benchmarks/faults.json]
"""

import argparse
import contextlib
import filecmp
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY / "tests"))

from toy_experiment import write_toy_experiment  # noqa: E402

WORK = "workflow"
SAME = ("outputs/*.de", "scores/*.json", "distilled/*.bin", "distilled/*.idx", "prep/bin/*", "raw/*")
LOG = "preprocess.log"  # it names a temporary folder
MOST = 10  # kills of one run


def start(config: Path, run: Path) -> subprocess.Popen:
    """The workflow, in a process group of its own."""
    command = [sys.executable, REPOSITORY / "scripts" / "run_workflow.py", "--config", config, "--run", run]
    with (run.parent / f"{run.name}.log").open("a") as log:
        return subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)


def group_of_snakemake(process: subprocess.Popen) -> int | None:
    """Snakemake has a group of its own: that of the program's child."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    try:
        first = children.read_text().split()
    except OSError:
        return None
    return int(first[0]) if first else None


def kill(process: subprocess.Popen) -> None:
    """Both groups, as a machine that is reset would."""
    for group in (group_of_snakemake(process), process.pid):
        if group is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(group, signal.SIGKILL)
    process.wait()


def differences(whole: Path, run: Path) -> list[str]:
    """The files that must be the same, and are not."""
    found = [path for pattern in SAME for path in sorted(whole.glob(pattern)) if path.name != LOG]
    names = [path.relative_to(whole) for path in found]
    return [
        str(name) for name in names if not (run / name).is_file() or not filecmp.cmp(whole / name, run / name, False)
    ]


def record(path: Path | None, killed: int, same: int, lost: list[str]) -> None:
    """Put the row into the table of faults; a trial is a kill."""
    if path is None:
        return
    from vqnat.records.results import origin, write_json

    table = json.loads(path.read_text(encoding="utf-8"))
    row = {"work": WORK, "fault": "SIGKILL", "trials": killed, "hit": killed, "same": same, "lost": lost}
    row["measured"] = origin()
    table["trials"] = [*(one for one in table["trials"] if one["work"] != WORK), row]
    write_json(path, table)


def main() -> int:
    """Returns 1 if a run ended otherwise."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--dir", type=Path)
    parser.add_argument("--json", type=Path, metavar="FILE", help="table of faults that gets the row")
    options = parser.parse_args()
    folder = options.dir or Path(tempfile.mkdtemp(prefix="kills"))
    folder.mkdir(parents=True, exist_ok=True)
    config, numbers = write_toy_experiment(folder / "toy.yaml"), random.Random(options.seed)
    began = time.monotonic()
    if start(config, folder / "whole").wait():
        print(f"kills: the undisturbed run failed; see {folder}/whole.log")
        return 1
    length = time.monotonic() - began
    print(f"kills: undisturbed: {length:.0f} s; everything is in {folder}", flush=True)
    killed = runs = 0
    while killed < options.kills:
        run, here = folder / f"run{runs}", 0
        while True:
            process = start(config, run)
            # From half a second, when Python has hardly started, to a third of a run.
            limit = None if here == MOST or killed == options.kills else 0.5 + numbers.random() * length / 3
            try:
                status = process.wait(timeout=limit)
            except subprocess.TimeoutExpired:
                kill(process)
                killed, here = killed + 1, here + 1
                continue
            break
        wrong = differences(folder / "whole", run)
        if status or wrong:
            said = f"{run} ended with status {status} after {here} kills; differs: {', '.join(wrong) or 'nothing'}"
            print(f"kills: {said}")
            record(options.json, killed, killed - here, [said])
            return 1
        runs += 1
        record(options.json, killed, killed, [])
        print(f"kills: {killed} kills, {runs} runs, each with the undisturbed result", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
