"""Trains every bottleneck as one process and as several; writes how far they are apart as JSON.

scripts/replicas.sh --out benchmarks/replicas.json
"""

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import bitext
from replicated import BACKENDS, largest_difference, losses, train

import vqnat.plugin  # noqa: F401
from vqnat.bottlenecks import bottleneck_names
from vqnat.records.results import provenance, write_json

UPDATES, BATCHES = 10, 4  # batches of an update, over all processes


def main() -> int:
    parser = argparse.ArgumentParser(prog="replicas", description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="*", metavar="NAME", help="bottlenecks (default: all)")
    parser.add_argument("--out", type=Path, required=True, help="JSON file to write")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="replicas"))
    bitext.write(folder / "raw", {"train": 70, "valid": 8, "test": 8})
    data = bitext.binarize(folder / "raw", folder / "bin")
    results: dict[str, Any] = {"updates": UPDATES, "replicas": [], **provenance(1, {})}
    for number, name in enumerate(sorted(options.only or bottleneck_names(), key=lambda name: "em" not in name)):
        for autocast in (False, True) if name in ("soft_em", "vq") else (False,):
            more = [name, *(["--autocast", "bf16"] if autocast else [])]
            alone = folder / name / f"alone{autocast}"
            known = losses(train(data, alone, *more, "--update-freq", BATCHES, updates=UPDATES)[0])
            for ranks in (2, 4):
                backend = BACKENDS[(number + ranks // 4) % len(BACKENDS)]
                place, each = folder / name / f"{ranks}{autocast}", BATCHES // ranks
                done = train(data, place, *more, "--update-freq", each, ranks=ranks, updates=UPDATES, backend=backend)
                found = losses(done[0])
                assert len(found) == len(known) == UPDATES
                apart = max(abs(one[k] - other[k]) for one, other in zip(found, known, strict=True) for k in one)
                tensors = largest_difference(alone / "checkpoint_last.pt", place / "checkpoint_last.pt")
                row = {
                    "bottleneck": name,
                    "ranks": ranks,
                    "update_freq": each,
                    "backend": backend,
                    "autocast": autocast,
                }
                results["replicas"].append(row | {"loss": apart, "tensors": tensors})
                write_json(options.out, results)
                print(f"replicas: {results['replicas'][-1]}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
