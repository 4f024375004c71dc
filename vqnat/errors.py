"""What is said to a user in one line instead of a traceback."""

import sys
from collections.abc import Callable
from types import TracebackType


class UserError(ValueError):
    """A mistake in a file or an option; the message names it, its value and what is valid."""


def run_command(name: str, main: Callable[[], None]) -> None:
    """Run a command line; a :class:`UserError` becomes one line on standard error and exit status 2."""
    try:
        main()
    except UserError as error:
        print(f"{name}: {error}", file=sys.stderr)
        sys.exit(2)


def install_hook() -> None:
    """Let uncaught user mistakes end fairseq's command lines with one line; any other exception is shown whole.

    fairseq's programs catch nothing. The hook sees only what nobody caught: a caller of the Python API still gets
    the exceptions.
    """
    if getattr(sys.excepthook, "of_vqnat", False):
        return
    shown_before = sys.excepthook

    def hook(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
        message = user_message(error, traceback)
        if message is None:
            shown_before(kind, error, traceback)
        else:
            print(f"error: {message}", file=sys.stderr)

    hook.of_vqnat = True
    sys.excepthook = hook


def user_message(error: BaseException, traceback: TracebackType | None) -> str | None:
    """One line for a user's mistake, None for anything else."""
    if isinstance(error, UserError):
        return str(error)
    if isinstance(error, OSError) and str(error).startswith("Model file not found: "):  # fairseq's words
        return f"--path {str(error).removeprefix('Model file not found: ')}: no such checkpoint"
    while traceback is not None:
        frame = traceback.tb_frame
        if frame.f_code.co_name == "load_checkpoint_to_cpu":
            return f"{frame.f_locals.get('path')}: not a readable checkpoint ({type(error).__name__})"
        traceback = traceback.tb_next
    return None
