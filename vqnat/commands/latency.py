"""``vqnat latency``: latency and throughput of translation systems, side by side."""

import argparse
import sys
from collections.abc import Sequence
from typing import Any

from vqnat.benchmarking.latency_options import parser
from vqnat.commands.outputs import check_writable
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
        run(options, steps, show)


if __name__ == "__main__":
    sys.exit(main())
