"""Errors that a user reads as one line instead of a traceback."""

import sys
from collections.abc import Callable


class UserError(ValueError):
    """A mistake in a file or an option; the message names it, its value and the valid values."""


def run_command(name: str, main: Callable[[], None]) -> None:
    """Run a command line; a :class:`UserError` becomes one line on standard error and exit status 2."""
    try:
        main()
    except UserError as error:
        print(f"{name}: {error}", file=sys.stderr)
        sys.exit(2)
