"""Errors that a user reads as one line instead of a traceback."""

import os
import sys
import traceback
from collections.abc import Callable

DEBUG = "VQNAT_DEBUG"  # in the environment: tracebacks are wanted, in child processes too


class UserError(ValueError):
    """A mistake in a file or an option; the message names it, its value and the valid values."""


def run_command(name: str, main: Callable[[], None]) -> None:
    """Run a command line; a :class:`UserError` becomes one line on standard error and exit status 2."""
    try:
        main()
    except UserError as error:
        show_traceback()
        print(f"{name}: {error}", file=sys.stderr)
        sys.exit(2)


def show_traceback() -> None:
    """Print where the current exception came from, if that is wanted."""
    if os.environ.get(DEBUG):
        traceback.print_exc()
