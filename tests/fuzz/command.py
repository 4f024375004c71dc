"""``scripts/fuzz.sh``: every reader, one process each, and what was found as JSON."""

import argparse
import json
import os
import struct
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

from bitext import REPO

from fuzz import READERS, Reader
from vqnat.records.results import origin, provenance, write_json

MOST_CRASHES = 10


def main() -> int:
    """Run. Returns 1 if there was a bug."""
    parser = argparse.ArgumentParser(prog="fuzz.sh", description=__doc__)
    parser.add_argument("--inputs", type=int, default=1000, help="of each reader (default: 1000)")
    parser.add_argument("--only", action="append", choices=READERS, metavar="READER", help="repeatable")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path, metavar="FILE", help="result; rows of other readers stay")
    options = parser.parse_args()
    rows = {}
    if options.json and options.json.exists():
        rows = {row["reader"]: row for row in json.loads(options.json.read_text(encoding="utf-8"))["readers"]}
    for name in options.only or READERS:
        rows[name] = row = run(READERS[name], options.inputs, options.seed) | {"measured": origin()}
        found = "".join(f"\n  {bug}: {about['error']}\n    {about['input']}" for bug, about in row["bugs"].items())
        print(f"{name}: {row['inputs']} inputs, {row['refused']} refused, {row['seconds']} s{found}", flush=True)
        if options.json:
            kept = [rows[one] for one in READERS if one in rows]
            write_json(options.json, {"readers": kept, **provenance(options.seed, {})})
    return int(any(row["bugs"] for row in rows.values()))


def run(reader: Reader, inputs: int, seed: int) -> dict:
    """One reader in processes of its own, until it has had its inputs or crashed too often."""
    begun, bugs, crashes = perf_counter(), {}, 0
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="fuzz-", dir=memory) as folder:
        state = Path(folder)
        (state / "inputs").write_bytes(bytes(16))
        while _count(state)[0] < inputs and crashes < MOST_CRASHES:
            command = [sys.executable, "-m", "fuzz.running", reader.name, "--inputs", str(inputs), "--state", folder]
            environment = {**os.environ, "PYTHONPATH": f"{REPO}/tests:{REPO}", "TMPDIR": folder}
            done = subprocess.run(
                [*command, "--seed", str(seed + crashes)], env=environment, capture_output=True, text=True, cwd=REPO
            )
            if (state / "bugs.json").exists():
                bugs |= json.loads((state / "bugs.json").read_text())
            if _count(state)[0] < inputs:
                crashes += 1
                last = next(iter(sorted(state.glob("crash-*")) or sorted(state.glob("timeout-*"))), None)
                text = repr(last.read_bytes())[:600] if last else ""
                bugs[f"crash {crashes}, status {done.returncode}"] = {"error": done.stderr[-600:], "input": text}
        tried, refused = _count(state)
    engine = "atheris" if reader.strategy is None else "Hypothesis, led by atheris"
    seconds = round(perf_counter() - begun, 1)
    return {
        "reader": reader.name,
        "engine": engine,
        "inputs": tried,
        "refused": refused,
        "seconds": seconds,
        "bugs": bugs,
    }


def _count(state: Path) -> tuple[int, int]:
    tried, refused = struct.unpack("QQ", (state / "inputs").read_bytes())
    return tried, refused


if __name__ == "__main__":
    sys.exit(main())
