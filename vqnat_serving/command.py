"""The old path of :mod:`vqnat_serving.command_line`, with its old names; it goes away with version 0.3."""

import argparse
import sys
import warnings
from collections.abc import Callable

from vqnat_serving.command_line import *  # noqa: F403
from vqnat_serving.command_line import check, translate_lines
from vqnat_serving.errors import run_command
from vqnat_serving.translator import Translator

warnings.warn("vqnat_serving.command is now vqnat_serving.command_line", DeprecationWarning, stacklevel=2)


def serve(translator: Translator, options: argparse.Namespace) -> None:
    """Now ``translate_lines``."""
    translate_lines(translator, options)


def run(name: str, parser: argparse.ArgumentParser, load: Callable[[argparse.Namespace], Translator]) -> None:
    """Now ``vqnat_serving.console.run_program``."""

    def main() -> None:
        options = parser.parse_args()
        check(options)
        serve(load(options), options)

    try:
        run_command(name, main)
    except KeyboardInterrupt:
        sys.exit(130)
