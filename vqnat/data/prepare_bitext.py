"""Any parallel text, cleaned, as ``{train,valid,test}.{SOURCE,TARGET}``; behind ``data-prep/prepare-bitext.sh``."""

import argparse
import heapq
import json
import os
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from vqnat.data.cleaning import REASONS, Limits, clean, digest
from vqnat.data.text_files import read_pairs
from vqnat.errors import UserError
from vqnat.records.atomic import replacing
from vqnat.records.checksums import sha256
from vqnat_serving.arguments import CommandParser, at_least, number_at_least
from vqnat_serving.console import run_program

RECORD = "cleaning.json"  # what was read, with which options, and what was kept
EPILOG = """\
examples
  data-prep/prepare-bitext.sh --source en --target de --train text.en.gz text.de.gz --hold-out 2000 --out data/mine
  data-prep/prepare-bitext.sh --source en --target de --train a.tsv.zst --train b.tsv --valid v.en v.de \\
    --test t.en t.de --language --out data/mine

Stopped at any point, the same command begins its step again; on a finished folder it does nothing.
"""


def parser() -> CommandParser:
    """All options."""
    p = CommandParser("prepare-bitext", "Cleans parallel text and writes it in fairseq's binary format.", EPILOG)
    p.add_argument("--source", required=True, metavar="LANG", help="source language")
    p.add_argument("--target", required=True, metavar="LANG", help="target language")
    files = "two files, or one with tabs; plain, .gz or .zst"
    p.add_argument("--train", action="append", nargs="+", type=Path, required=True, metavar="FILE", help=files)
    p.add_argument("--valid", nargs="+", type=Path, metavar="FILE", help="likewise; not cleaned")
    p.add_argument("--test", nargs="+", type=Path, metavar="FILE", help="likewise; not cleaned")
    p.add_argument("--hold-out", type=at_least(1), metavar="N", help="take N pairs each for what is not given of them")
    p.add_argument("--from", dest="folder", type=Path, default=Path(), metavar="DIR", help="where the files are")
    p.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder to write")
    p.add_argument("--raw-only", action="store_true", help="write the text into --out itself, and nothing else")
    p.add_argument("--vocabulary", type=at_least(32), default=32000, metavar="N", help="subwords (default: 32000)")
    p.add_argument("--max-words", type=at_least(1), default=250, metavar="N", help="of a side (default: 250)")
    p.add_argument("--max-ratio", type=number_at_least(1), default=2.0, metavar="X", help="of lengths (default: 2)")
    p.add_argument("--language", action="store_true", help="drop pairs that were not translated")
    p.add_argument("--moses", action="store_true", help="normalize punctuation and tokenize with sacremoses")
    p.add_argument("--jobs", type=at_least(1), default=os.cpu_count() or 1, metavar="N", help="processes that clean")
    return p


def main(argv: Sequence[str] | None = None) -> int:
    """Prepare. Returns the exit status."""
    return run_program(parser(), _prepare, argv)


def _prepare(options: argparse.Namespace) -> None:
    raw = options.out if options.raw_only else options.out / "raw"
    prepare_text(options, raw)
    if options.raw_only:
        return
    from vqnat.data.binarize import main as binarize

    languages = ["--source", options.source, "--target", options.target]
    sys.argv = ["binarize", "--raw", str(raw), "--out", str(options.out), "--vocabulary", str(options.vocabulary)]
    sys.argv += languages
    binarize()


def prepare_text(options: argparse.Namespace, raw: Path) -> None:
    """Write the cleaned splits into ``raw``, unless it has them. Raises UserError."""
    given = {name: _files(options, name) for name in ("valid", "test")}
    train = [_found(options.folder, files, "--train") for files in options.train]
    missing = [name for name, files in given.items() if files is None]
    if missing and options.hold_out is None:
        raise UserError(f"--{missing[0]}: missing; give it, or --hold-out N to take it from the training text")
    pair = (options.source, options.target)
    limits = Limits(
        options.max_words,
        options.max_ratio,
        pair if options.language else None,
        pair if options.moses else None,
    )
    files = [path for group in (*train, *filter(None, given.values())) for path in group]
    settings = {
        "files": {path.name: sha256(path) for path in files},
        "limits": [limits.max_words, limits.max_ratio, options.language, options.moses],
        "hold_out": options.hold_out,
        "languages": list(pair),
    }
    names = [f"{split}.{language}" for split in ("train", "valid", "test") for language in pair]
    if _is_done(raw, settings, names):
        print(f"prepare-bitext: {raw} is finished for these files and options: nothing to do")
        return
    raw.mkdir(parents=True, exist_ok=True)
    counts: Counter[str] = Counter()
    splits = {name: list(read_pairs(files)) for name, files in given.items() if files is not None}
    held = frozenset(digest((" ".join(s.split()), " ".join(t.split()))) for pairs in splits.values() for s, t in pairs)
    with ExitStack() as stack:
        paths = {name: stack.enter_context(replacing(raw / name)) for name in names}
        everything = (pair for files in train for pair in read_pairs(files))
        kept = clean(everything, limits, counts, held, options.jobs)
        if not missing:
            _write(paths, "train", pair, kept)
        else:
            _hold_out(paths, pair, kept, missing, options.hold_out, splits, counts)
        for name, pairs in splits.items():
            _write(paths, name, pair, pairs)
    figures = {name: counts[name] for name in ("read", *REASONS, "kept")}
    record = {"settings": settings, "counts": figures, "held_out": {name: len(p) for name, p in splits.items()}}
    with replacing(raw / RECORD) as path:
        path.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    dropped = ", ".join(f"{counts[reason]} {reason.replace('_', ' ')}" for reason in REASONS if counts[reason])
    print(f"prepare-bitext: {raw}: {counts['kept']} of {counts['read']} pairs kept ({dropped or 'none dropped'})")


def _files(options: argparse.Namespace, name: str) -> list[Path] | None:
    files = getattr(options, name)
    return None if files is None else _found(options.folder, files, f"--{name}")


def _found(folder: Path, files: Sequence[Path], option: str) -> list[Path]:
    if len(files) > 2:
        raise UserError(f"{option} {' '.join(map(str, files))}: must be two files, or one with tabs")
    paths = [folder / path for path in files]
    for path in paths:
        if not path.is_file():
            raise UserError(f"{option} {path}: no such file")
    return paths


def _is_done(raw: Path, settings: dict[str, Any], names: Iterable[str]) -> bool:
    try:
        record = json.loads((raw / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return record.get("settings") == settings and all((raw / name).is_file() for name in names)


def _write(paths: dict[str, Path], split: str, pair: tuple[str, str], pairs: Iterable[tuple[str, str]]) -> None:
    source, target = (paths[f"{split}.{language}"] for language in pair)
    with source.open("w", encoding="utf-8", newline="\n") as s, target.open("w", encoding="utf-8", newline="\n") as t:
        for ours, theirs in pairs:
            s.write(ours + "\n")
            t.write(theirs + "\n")


def _hold_out(
    paths: dict[str, Path],
    pair: tuple[str, str],
    kept: Iterable[tuple[str, str]],
    missing: Sequence[str],
    size: int,
    splits: dict[str, list[tuple[str, str]]],
    counts: Counter[str],
) -> None:
    """Write train without the pairs of the smallest digests, which become the splits that were not given.

    Digests know nothing of the order, so that a text that grows keeps most of its test set.
    """
    wanted = size * len(missing)
    largest: list[tuple[int, bytes]] = []  # a heap of the smallest digests, the largest of them first
    scratch = {name: path.with_name(f"{path.name}.all") for name, path in paths.items() if name.startswith("train.")}

    def noted() -> Iterable[tuple[str, str]]:
        for each in kept:
            key = digest(each)
            heapq.heappush(largest, (-int.from_bytes(key), key))
            if len(largest) > wanted:
                heapq.heappop(largest)
            yield each

    try:
        _write(scratch, "train", pair, noted())
        if len(largest) < wanted or counts["kept"] <= wanted:
            raise UserError(f"--hold-out {size}: the training text has only {counts['kept']} pairs")
        order = sorted(key for _, key in largest)
        home = {key: missing[n // size] for n, key in enumerate(order)}
        splits |= {name: [] for name in missing}

        def rest() -> Iterable[tuple[str, str]]:
            for each in read_pairs([scratch[f"train.{language}"] for language in pair]):
                name = home.get(digest(each))
                if name is None:
                    yield each
                else:
                    splits[name].append(each)

        _write(paths, "train", pair, rest())
        counts["kept"] -= wanted
        counts["held_out"] += wanted
    finally:
        for path in scratch.values():
            path.unlink(missing_ok=True)


if __name__ == "__main__":
    sys.exit(main())
