"""``scripts/diagnose.py``: where a latent transformer loses quality."""

import logging
import os
import sys
import warnings
from pathlib import Path

from vqnat.errors import UserError


def main(arguments: list[str] | None = None) -> int:
    """Measure, print, write. Returns 0, or 2 after a user's mistake."""
    logging.getLogger("fairseq").setLevel(logging.WARNING)  # before it is imported, as importing it logs too
    warnings.filterwarnings("ignore", category=UserWarning, module="torch")
    from vqnat.diagnosis.diagnose_options import parse_options
    from vqnat.diagnosis.study import diagnose, say
    from vqnat.records.results import write_json
    from vqnat.reporting.diagnosis import terminal
    from vqnat.reporting.diagnosis_plot import draw

    try:
        options = parse_options(arguments)
        for path in (options.json, options.plot):
            _check_writable(path)
        result = diagnose(options)
    except UserError as error:
        say(str(error))
        return 2
    print(terminal(result))
    if options.json:
        write_json(options.json, result)
    if options.plot:
        draw(result, options.plot)
    return 0


def _check_writable(path: Path | None) -> None:
    """Raise UserError now, not after minutes of work."""
    if path is None:
        return
    folder = next(parent for parent in path.absolute().parents if parent.exists())
    if path.is_dir() or not folder.is_dir() or not os.access(folder, os.W_OK):
        raise UserError(f"{path}: cannot be written")


if __name__ == "__main__":
    sys.exit(main())
