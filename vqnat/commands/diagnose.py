"""``vqnat diagnose``: where a latent transformer loses quality."""

import argparse
import sys
from collections.abc import Sequence

from vqnat.commands.outputs import check_writable
from vqnat.diagnosis.diagnose_options import checked, parser
from vqnat.silence import silence_imports
from vqnat_serving.arguments import is_terminal
from vqnat_serving.console import run_program

__all__ = ["main", "parser"]


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print, write."""
    return run_program(parser(), _diagnose, argv)


def _diagnose(parsed: argparse.Namespace) -> None:
    options = checked(parsed)
    check_writable("--json", options.json)
    check_writable("--plot", options.plot)
    silence_imports()
    from vqnat.diagnosis.study import diagnose
    from vqnat.records.results import write_json
    from vqnat.reporting.diagnosis import parts, terminal
    from vqnat.reporting.diagnosis_plot import draw
    from vqnat.terminal.progress import Steps
    from vqnat.terminal.tables import print_parts

    with Steps("diagnose") as steps:
        result = diagnose(options, steps)
    if is_terminal(sys.stdout):
        print_parts(parts(result))
    else:
        print(terminal(result))
    if options.json:
        write_json(options.json, result)
    if options.plot:
        draw(result, options.plot)


if __name__ == "__main__":
    sys.exit(main())
