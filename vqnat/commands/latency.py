"""``vqnat latency``: latency and throughput of translation systems, side by side."""

import argparse
import sys
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from vqnat.benchmarking.latency_options import parser
from vqnat.commands.outputs import check_writable
from vqnat.errors import UserError
from vqnat.silence import silence_imports
from vqnat_serving.arguments import is_terminal
from vqnat_serving.console import run_program

__all__ = ["main", "parser"]


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print, write."""
    return run_program(parser(), _measure, argv)


def _measure(options: argparse.Namespace) -> None:
    check_writable("--json", options.json)
    check_writable("--plot", options.plot)
    check_writable("--plot-quality", options.plot_quality)
    _check_quality(options)
    silence_imports()
    from vqnat.benchmarking.latency import run
    from vqnat.benchmarking.reports.latency_tables import parts, tables
    from vqnat.terminal.progress import Steps
    from vqnat.terminal.tables import print_parts

    def show(result: dict[str, Any]) -> None:
        if is_terminal(sys.stdout):
            print_parts(parts(result))
        else:
            print(tables(result))

    with Steps("latency", thread=False) as steps:
        run(options, steps, show, partial(_scorer, options) if options.raw else None)


def _check_quality(options: argparse.Namespace) -> None:
    """Raises UserError for options of quality that do not go together."""
    if options.raw and options.force_lengths:
        raise UserError("--raw: outputs of forced lengths have no quality; leave out --force-lengths")
    for name in ("corpus", "plot_quality"):
        if getattr(options, name) and not options.raw:
            raise UserError(f"--{name.replace('_', '-')} {getattr(options, name)}: needs --raw, the split as text")


def _scorer(options: argparse.Namespace, source: str, target: str) -> Callable[[Sequence[str]], dict[str, Any]]:
    """What scores the translations of the split, whose text is in ``--raw``."""
    from vqnat.experiments.scores import right_rate, score
    from vqnat.experiments.translations import read_lines

    texts = []
    for language in (source, target):
        path = options.raw / f"{options.gen_subset}.{language}"
        if not path.is_file():
            raise UserError(f"--raw {options.raw}: has no {path.name}, the text of the split")
        texts.append(read_lines(path))
    sources, references = texts

    def scores(outputs: Sequence[str]) -> dict[str, Any]:
        if len(outputs) != len(references):
            raise UserError(f"--raw {options.raw}: {len(references)} lines, the binarized split has {len(outputs)}")
        return score(sources, outputs, references, target, right_rate(options.corpus))

    return scores


if __name__ == "__main__":
    sys.exit(main())
