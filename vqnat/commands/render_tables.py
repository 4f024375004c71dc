"""Render result files into Markdown, between ``<!-- results: PATH.json TEMPLATE -->`` and ``<!-- end -->``.

PATH is relative to the Markdown file. Templates: systems (the table), samples (the translations),
codes (the codebooks), diagnosis, images (the image tables), latency, training, scale, precisions, codebook, server and
start (the benchmarks). For seeds (the table over several runs) and paper (beside a paper's figures) PATH may contain *,
one file per seed. After the template a marker may select: only=NAME,... some systems, lines=N,... some samples.
"""

import argparse
import json
import logging
import sys
from pathlib import Path

logging.disable(logging.INFO)  # before fairseq is imported, which logs

from vqnat.benchmarking.reports.benchmark_markdown import TEMPLATES as BENCHMARKS  # noqa: E402
from vqnat.image.tables.image_markdown import markdown_image_tables  # noqa: E402
from vqnat.records.atomic import write_text  # noqa: E402
from vqnat.reporting.diagnosis import TEMPLATES as DIAGNOSIS  # noqa: E402
from vqnat.reporting.faults import TEMPLATES as FAULTS  # noqa: E402
from vqnat.reporting.markdown import fill_markdown  # noqa: E402
from vqnat.reporting.paper import TEMPLATES as PAPER  # noqa: E402
from vqnat.reporting.robustness import TEMPLATES as ROBUSTNESS  # noqa: E402
from vqnat.reporting.scale import TEMPLATES as SCALE  # noqa: E402
from vqnat.reporting.seeds import TEMPLATES as SEEDS  # noqa: E402
from vqnat.reporting.systems import TEMPLATES  # noqa: E402

MEASURED = {**TEMPLATES, **SEEDS, **BENCHMARKS, **DIAGNOSIS, **SCALE, **ROBUSTNESS, **FAULTS}
ALL = {**MEASURED, **PAPER, "images": markdown_image_tables}


def read_results(folder: Path, name: str) -> dict | list[dict]:
    """A result file; with ``*`` in the name all matching files, sorted by name."""
    if "*" not in name:
        return json.loads((folder / name).read_text("utf-8"))
    paths = sorted(folder.glob(name))
    if not paths:
        raise ValueError(f"{folder / name}: no such files")
    return [json.loads(path.read_text("utf-8")) for path in paths]


def main() -> int:
    """Render. Returns 1 if --check finds a file out of date, 2 after an error."""
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
            write_text(path, new)
            print(f"render_tables: {path} written")
    return stale if args.check else 0


if __name__ == "__main__":
    sys.exit(main())
