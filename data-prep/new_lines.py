#!/usr/bin/env python3
"""Print the lines of standard input that are new: no duplicates, and none that occurs in a KNOWN file.

    zcat more.*.gz | data-prep/new_lines.py KNOWN... > new

Lines that differ only in case and whitespace count as equal; the first one is printed unchanged. Counts go to standard
error.
"""

import sys
from pathlib import Path


def same(line: str) -> str:
    """A key that is equal for lines that count as equal."""
    return " ".join(line.split()).casefold()


def lines(content: bytes) -> list[str]:
    """Split at line feeds only."""
    return content.decode("utf-8").removesuffix("\n").split("\n")


def main() -> None:
    known = {path.name: {same(line) for line in lines(path.read_bytes())} for path in map(Path, sys.argv[1:])}
    given = lines(sys.stdin.buffer.read())
    distinct = {}
    for line in given:
        distinct.setdefault(same(line), line)
    distinct.pop("", None)
    counts = [f"{len(given)} lines", f"{len(distinct)} distinct"]
    for name, seen in known.items():
        before = len(distinct)
        distinct = {key: line for key, line in distinct.items() if key not in seen}
        counts.append(f"{before - len(distinct)} in {name}")
    counts.append(f"{len(distinct)} new")
    sys.stdout.buffer.write("".join(f"{line}\n" for line in distinct.values()).encode("utf-8"))
    print("new_lines: " + ", ".join(counts), file=sys.stderr)


if __name__ == "__main__":
    main()
