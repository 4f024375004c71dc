"""Trains every bottleneck as one process and as several; writes how far they are apart as JSON.

scripts/replicas.sh --out benchmarks/replicas.json
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import bitext
from replicated import BACKENDS, largest_difference, losses, train

import vqnat.plugin  # noqa: F401
from vqnat.bottlenecks import bottleneck_names
from vqnat.records.results import origin, provenance, write_json

UPDATES, BATCHES = 10, 4  # batches of an update, over all processes
MORE: dict[str, list[tuple[str, ...]]] = {  # options that a bottleneck is trained with, besides its own defaults
    "soft_em": [(), ("--autocast", "bf16")],
    "vq": [(), ("--autocast", "bf16")],
    "lfq": [(), ("--lfq-temperature", "1")],
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="replicas", description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="*", metavar="NAME", help="bottlenecks (default: all)")
    parser.add_argument("--out", type=Path, required=True, help="JSON file; rows of other bottlenecks stay")
    options = parser.parse_args()
    where = origin()
    folder = Path(tempfile.mkdtemp(prefix="replicas"))
    bitext.write(folder / "raw", {"train": 70, "valid": 8, "test": 8})
    data = bitext.binarize(folder / "raw", folder / "bin")
    rows = []
    if options.out.exists():
        rows = json.loads(options.out.read_text(encoding="utf-8"))["replicas"]
    names = sorted(options.only or bottleneck_names(), key=lambda name: "em" not in name)
    rows = [row for row in rows if row["bottleneck"] not in names]
    for number, name in enumerate(names):
        for case, more in enumerate(MORE.get(name, [()])):
            alone = folder / name / f"alone{case}"
            known = losses(train(data, alone, name, *more, "--update-freq", BATCHES, updates=UPDATES)[0])
            for ranks in (2, 4):
                backend = BACKENDS[(number + ranks // 4) % len(BACKENDS)]
                place, each = folder / name / f"{ranks}-{case}", BATCHES // ranks
                words = (name, *more, "--update-freq", each)
                done = train(data, place, *words, ranks=ranks, updates=UPDATES, backend=backend)
                found = losses(done[0])
                assert len(found) == len(known) == UPDATES
                apart = max(abs(one[k] - other[k]) for one, other in zip(found, known, strict=True) for k in one)
                tensors = largest_difference(alone / "checkpoint_last.pt", place / "checkpoint_last.pt")
                row = {"bottleneck": name, "options": " ".join(more), "ranks": ranks, "update_freq": each}
                rows.append(row | {"backend": backend, "loss": apart, "tensors": tensors, "measured": where})
                write_json(options.out, {"updates": UPDATES, "replicas": rows, **provenance(1, {})})
                print(f"replicas: {rows[-1]}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
