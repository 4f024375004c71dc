"""Errors that a user reads as one line instead of a traceback."""

import errno
import os
import sys
from collections.abc import Callable

DEBUG = "VQNAT_DEBUG"  # in the environment: tracebacks are wanted, in child processes too


class UserError(ValueError):
    """A mistake in a file or an option; the message names it, its value and the valid values."""


def ran_out_of_memory(error: BaseException) -> bool:
    """Whether an exception says, in Python's, torch's or the system's words, that there is no memory left."""
    if isinstance(error, OSError) and error.errno == errno.ENOMEM:
        return True
    return isinstance(error, MemoryError) or (isinstance(error, RuntimeError) and "allocate memory" in str(error))


def fault_message(error: BaseException) -> str | None:
    """One line for a fault of the machine: no memory, no space, a file that cannot be read; else None."""
    if ran_out_of_memory(error):
        return "out of memory; what is finished is kept: run the same command again where there is more"
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename is not None else error.strerror
    return None


def run_command(name: str, main: Callable[[], None]) -> None:
    """Run a command line; a :class:`UserError` becomes one line on standard error and exit status 2."""
    try:
        main()
    except UserError as error:
        show_traceback()
        print(f"{name}: {error}", file=sys.stderr)
        sys.exit(2)
    except (OSError, MemoryError, RuntimeError) as error:
        message = fault_message(error)
        if message is None:
            raise
        show_traceback()
        print(f"{name}: {message}", file=sys.stderr)
        sys.exit(2)


def show_traceback() -> None:
    """Print where the current exception came from, if that is wanted."""
    if os.environ.get(DEBUG):
        import traceback  # every command imports this module, and few of them fail

        traceback.print_exc()
