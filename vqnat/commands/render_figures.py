"""Draw the figures of the README and of docs/ from the committed result files, as SVG into docs/figures."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from vqnat.records.atomic import write_text
from vqnat.reporting.figures import FIGURES

REPOSITORY = Path(__file__).resolve().parents[2]


def parser() -> argparse.ArgumentParser:
    """All options."""
    found = argparse.ArgumentParser(prog="render_figures", description=__doc__)
    found.add_argument("names", nargs="*", metavar="NAME.svg", help=f"some of {', '.join(FIGURES)} (default: all)")
    found.add_argument("--check", action="store_true", help="write nothing; exit 1 when a file is out of date")
    return found


def main(argv: Sequence[str] | None = None) -> int:
    """Draw. Returns 1 if --check finds a file out of date, 2 after a user's mistake."""
    args = parser().parse_args(argv)
    stale = 0
    for name in args.names or FIGURES:
        if name not in FIGURES:
            print(f"render_figures: {name}: no such figure; must be one of {', '.join(FIGURES)}", file=sys.stderr)
            return 2
        draw, sources = FIGURES[name]
        try:
            new = draw(*(json.loads((REPOSITORY / source).read_text(encoding="utf-8")) for source in sources))
        except (OSError, ValueError) as error:
            print(f"render_figures: {name}: {error}", file=sys.stderr)
            return 2
        path = REPOSITORY / "docs" / "figures" / name
        if path.is_file() and path.read_text(encoding="utf-8") == new:
            continue
        stale = 1
        if args.check:
            print(f"render_figures: {path} is out of date: run scripts/render_figures.py", file=sys.stderr)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_text(path, new)
            print(f"render_figures: {path} written")
    return stale if args.check else 0


if __name__ == "__main__":
    sys.exit(main())
