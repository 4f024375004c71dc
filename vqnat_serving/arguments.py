"""The parser of every command: one style of options, help and errors. Standard library only.

A mistake that argparse finds reads like those that commands find themselves: the option, the value, what is wrong and
what is valid, in one line.
"""

import argparse
import difflib
import math
import os
import re
import sys
from collections.abc import Callable
from typing import Any, NoReturn

from vqnat_serving.errors import UserError

# Of rich-argparse, on terminals.
_STYLES: dict[str, Any] = {
    "argparse.groups": "bold",
    "argparse.prog": "bold",
    "argparse.args": "cyan",
    "argparse.metavar": "green",
}
_TYPES = {"int": "whole number", "float": "number"}


class CommandParser(argparse.ArgumentParser):
    """An argument parser whose mistakes are a :class:`UserError`; every command has ``--quiet`` and ``--debug``.

    Args:
        prog: the command as users type it, such as ``vqnat translate``; it begins every error and note.
        description: what the command does; lines stay as they are.
        epilog: examples.
        extra: the extra of the package that the command needs, named when an import fails.
    """

    def __init__(self, prog: str, description: str, epilog: str | None = None, extra: str | None = None):
        super().__init__(
            prog=prog, description=description, epilog=epilog, formatter_class=argparse.RawDescriptionHelpFormatter
        )
        self.extra = extra
        self.add_argument("-q", "--quiet", action="store_true", help="print only results and errors")
        self.add_argument("--debug", action="store_true", help="print the traceback of an error before its line")

    def error(self, message: str) -> NoReturn:
        """Raise argparse's message in our words."""
        raise UserError(self._reworded(message))

    def _get_formatter(self) -> argparse.HelpFormatter:
        """Colored help on a terminal; rich-argparse is imported only there, as it takes longer than argparse itself."""
        if is_terminal(sys.stdout):
            try:
                from rich_argparse import RawDescriptionRichHelpFormatter
            except ImportError:  # the runner copied out of its package
                pass
            else:

                class Formatter(RawDescriptionRichHelpFormatter):
                    styles = RawDescriptionRichHelpFormatter.styles | _STYLES
                    group_name_formatter = str  # as argparse writes them
                    help_markup = text_markup = False  # brackets are brackets

                return Formatter(prog=self.prog)
        return super()._get_formatter()

    def _reworded(self, message: str) -> str:
        if found := re.fullmatch(r"argument ([^:]+): (.*)", message, re.DOTALL):
            return _about(found[1].split("/")[-1], found[2])
        if found := re.fullmatch(r"the following arguments are required: (.*)", message):
            return f"{found[1]}: missing; see '{self.prog} --help'"
        if found := re.fullmatch(r"one of the arguments (.*) is required", message):
            return f"{' or '.join(found[1].split())}: missing; see '{self.prog} --help'"
        if found := re.fullmatch(r"unrecognized arguments: (.*)", message):
            return self._unknown(found[1])
        return message

    def _unknown(self, words: str) -> str:
        option = words.split(" ")[0].split("=")[0]
        if not option.startswith("-"):
            return f"{words}: not expected here; see '{self.prog} --help'"
        near = difflib.get_close_matches(option, self._option_string_actions, 1)
        hint = f"did you mean {near[0]}?" if near else f"see '{self.prog} --help'"
        return f"{option}: no such option; {hint}"


def _about(option: str, what: str) -> str:
    """argparse's message about one option: ``--beam two: not a whole number``."""
    if found := re.fullmatch(r"invalid (\S.*) value: '(.*)'", what):
        return f"{option} {found[2]}: not a {_TYPES.get(found[1], found[1])}"
    if found := re.fullmatch(r"invalid choice: '?(.*?)'? \(choose from (.*)\)", what):
        return f"{option} {found[1]}: not valid; choose from: {found[2].replace(chr(39), '')}"
    if re.fullmatch(r"expected (one|at least one) arguments?", what):
        return f"{option}: its value is missing"
    if found := re.fullmatch(r"not allowed with argument (.*)", what):
        return f"{option}: not together with {found[1].split('/')[-1]}"
    return f"{option} {what}" if ": needed " in what else f"{option}: {what}"


def at_least(least: int) -> Callable[[str], int]:
    """The type of a whole number with a lower limit."""

    def convert(text: str) -> int:
        value = int(text)
        if value < least:
            raise argparse.ArgumentTypeError(f"{text}: needed {least} or more")
        return value

    convert.__name__ = "int"
    return convert


def number_at_least(least: float) -> Callable[[str], float]:
    """The type of a finite number with a lower limit."""

    def convert(text: str) -> float:
        value = float(text)
        if not least <= value < math.inf:
            raise argparse.ArgumentTypeError(f"{text}: needed {least:g} or more")
        return value

    convert.__name__ = "float"
    return convert


def is_terminal(stream: Any) -> bool:
    """Whether a person reads the stream: bars, tables and colors are for terminals that can show them."""
    return bool(stream is not None and stream.isatty() and os.environ.get("TERM") not in ("dumb", "unknown"))
