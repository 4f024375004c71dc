"""The command line: check, measure, print, write."""

import os
from pathlib import Path

from vqnat.diagnosis.options import Options, parse_options
from vqnat.diagnosis.plot import draw
from vqnat.diagnosis.rendering import terminal
from vqnat.diagnosis.study import diagnose, say
from vqnat.errors import UserError
from vqnat.records.results import write_json


def main(arguments: list[str] | None = None) -> int:
    """Exit status: 0, or 2 with one line on standard error when something is wrong with what was asked."""
    try:
        run(parse_options(arguments))
    except UserError as error:
        say(str(error))
        return 2
    return 0


def run(options: Options) -> None:
    """Measure, print, write. Raises UserError."""
    for path in (options.json, options.plot):
        _check_writable(path)
    result = diagnose(options)
    print(terminal(result))
    if options.json:
        write_json(options.json, result)
    if options.plot:
        draw(result, options.plot)


def _check_writable(path: Path | None) -> None:
    """Before minutes are spent, not after."""
    if path is None:
        return
    folder = next(parent for parent in path.absolute().parents if parent.exists())
    if path.is_dir() or not folder.is_dir() or not os.access(folder, os.W_OK):
        raise UserError(f"{path}: cannot be written")
