"""``scripts/make_small_model.sh``: the small model that ships with the package, from a run of the quickstart."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from vqnat.silence import silence_imports
from vqnat_serving.arguments import CommandParser
from vqnat_serving.console import run_program
from vqnat_serving.model_folder import SMALL_MODEL

SYSTEM = "lt_second"  # chosen on validation, see examples/quickstart/NOTES.md


def parser() -> CommandParser:
    """All options."""
    p = CommandParser("make_small_model.sh", "Write the small model of the package from a run's latent transformer.")
    p.add_argument("--run", type=Path, required=True, metavar="DIR", help="folder of a finished run of quickstart.sh")
    p.add_argument("--system", default=SYSTEM, metavar="NAME", help=f"row of the run's table (default: {SYSTEM})")
    p.add_argument("--out", type=Path, default=SMALL_MODEL, metavar="DIR", help="default: vqnat_serving/small_model")
    return p


def main(argv: Sequence[str] | None = None) -> int:
    """Make the model. Returns the exit status."""
    return run_program(parser(), _make, argv)


def _make(options: argparse.Namespace) -> None:
    silence_imports()
    from vqnat.experiments.small_model import make_small_model

    folder = make_small_model(options.run, options.out, options.system)
    size = sum(path.stat().st_size for path in options.out.rglob("*") if path.is_file())
    [row] = (folder.scores() or {})["rows"]
    print(f"{options.out}: {folder.made['checkpoint']}, {size / 1e6:.1f} MB")
    print(f"test set: {row['sacrebleu']:.1f} BLEU, {100 * row['right_translation_rate']:.1f} % right translations")


if __name__ == "__main__":
    sys.exit(main())
