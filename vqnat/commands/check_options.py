"""``python -m vqnat.commands.check_options``: whether fairseq has the options that a configuration gives it.

It takes seconds, a training that ends with such a mistake minutes until it begins.
"""

import argparse
import contextlib
import io
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import yaml

from vqnat.errors import UserError
from vqnat.silence import silence_imports
from vqnat_serving.arguments import CommandParser
from vqnat_serving.console import run_program


def parser() -> CommandParser:
    """All options."""
    p = CommandParser("check_options", "Checks the options of trainings and systems.", extra="train")
    p.add_argument("--config", type=Path, required=True, metavar="FILE.yaml", help="the experiment")
    p.add_argument("--set", nargs="*", default=[], metavar="KEY=VALUE", help="keys of the configuration to override")
    return p


def main(argv: Sequence[str] | None = None) -> int:
    """Check. Returns the exit status."""
    return run_program(parser(), _check, argv)


def _check(options: argparse.Namespace) -> None:
    silence_imports()
    from fairseq import options as fairseq_options

    import vqnat.plugin  # noqa: F401  (registration)
    from vqnat.experiments import commands
    from vqnat.experiments.config import load

    overrides = {key: yaml.safe_load(value) for key, value in (word.split("=", 1) for word in options.set)}
    config = load(options.config, overrides)
    checkpoints = dict.fromkeys(config.trainings, "model.pt")
    for name in config.trainings:
        words = commands.train_options(config, name, checkpoints, config.seed)
        make = fairseq_options.get_training_parser
        _parse(f"{options.config}: trainings.{name}.options", "fairseq-train", make, words)
    for number, system in enumerate(config.systems):
        words = commands.generate_options(config, system, checkpoints, config.seed)
        make = fairseq_options.get_generation_parser
        _parse(f"{options.config}: systems[{number}].decoding", "fairseq-generate", make, words)


def _parse(where: str, program: str, make: Callable[[], argparse.ArgumentParser], words: list[str]) -> None:
    from fairseq.options import parse_args_and_arch

    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said):
            parse_args_and_arch(make(), ["data", *words])
    except SystemExit:
        lines = said.getvalue().strip().splitlines() or ["refused"]
        raise UserError(f"{where}: {program}: {lines[-1].partition('error: ')[2] or lines[-1]}") from None


if __name__ == "__main__":
    sys.exit(main())
