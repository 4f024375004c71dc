#!/usr/bin/env python3
"""Renders result files into Markdown, between ``<!-- results: PATH.json TEMPLATE -->`` and ``<!-- end -->``.

PATH is relative to the Markdown file. Templates: systems (the table), samples (the translations),
codes (the codebooks), diagnosis, images (the image tables), latency, training, precisions and codebook (the
benchmarks). In seeds (the table, over several runs) PATH may have * in its name, for one file a seed.
"""

import argparse
import json
import logging
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
logging.disable(logging.INFO)  # what fairseq says when it is imported

from vqnat.benchmarking.reports.benchmark_markdown import TEMPLATES as BENCHMARKS  # noqa: E402
from vqnat.diagnosis.rendering import TEMPLATES as DIAGNOSIS  # noqa: E402
from vqnat.image.tables.image_markdown import markdown_image_tables  # noqa: E402
from vqnat.pipeline.seed_tables import TEMPLATES as SEEDS  # noqa: E402
from vqnat.pipeline.tables import TEMPLATES, fill_markdown  # noqa: E402

ALL = {**TEMPLATES, **SEEDS, **BENCHMARKS, **DIAGNOSIS, "images": markdown_image_tables}


def read_results(folder: Path, name: str) -> dict | list[dict]:
    """A results file; with a ``*`` in its name all that fit, in the order of their names."""
    if "*" not in name:
        return json.loads((folder / name).read_text("utf-8"))
    paths = sorted(folder.glob(name))
    if not paths:
        raise ValueError(f"{folder / name}: no such files")
    return [json.loads(path.read_text("utf-8")) for path in paths]


def main() -> int:
    """Returns 1 when --check finds a file out of date, 2 for an error."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE.md", help="Markdown files to bring up to date")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when a file is out of date")
    args = parser.parse_args()
    stale = 0
    for path in args.files:
        try:
            old = path.read_text(encoding="utf-8")
            new = fill_markdown(old, lambda name, base=path.parent: read_results(base, name), ALL)
        except (OSError, ValueError) as error:
            print(f"render_tables: {path}: {error}", file=sys.stderr)
            return 2
        if new == old:
            continue
        stale = 1
        if args.check:
            print(f"render_tables: {path} is out of date: run scripts/render_tables.py {path}", file=sys.stderr)
        else:
            path.write_text(new, encoding="utf-8")
            print(f"render_tables: {path} written")
    return stale if args.check else 0


if __name__ == "__main__":
    sys.exit(main())
