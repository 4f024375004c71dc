"""How every command runs: its exit status, its notes, and who may speak. Standard library only.

Results go to standard output. Notes, progress and errors go to standard error; ``--quiet`` silences all but errors.
``NO_COLOR`` turns colors off: rich and argparse heed it themselves, and :func:`styled` does.
"""

import argparse
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from vqnat_serving.arguments import CommandParser, is_terminal
from vqnat_serving.errors import UserError, fault_message

QUIET = "VQNAT_QUIET"  # in the environment, so that child processes are quiet too
DONE, FAILED, MISTAKE, INTERRUPTED = 0, 1, 2, 130  # exit status
# Extras of the package by what they install, where a command may need one of several.
EXTRAS = {"torch": "train", "fairseq": "train", "onnxruntime": "serving", "huggingface_hub": "hub"}


def run_program(
    parser: CommandParser, work: Callable[[argparse.Namespace], int | None], argv: Sequence[str] | None = None
) -> int:
    """Parse, work, and return the exit status; a user's mistake is one line on standard error.

    Args:
        parser: of the command.
        work: what the command does, given its options without ``quiet``; returns a status, None for 0.
        argv: the words after the command's name; None: those of this process.
    """
    try:
        options = parser.parse_args(argv)
        with quieted(options.quiet):
            del options.quiet
            status = work(options) or DONE
            sys.stdout.flush()
            return status
    except UserError as error:
        return _fail(parser.prog, str(error))
    except ModuleNotFoundError as error:
        name = (error.name or "").partition(".")[0]
        if parser.extra is None or name in ("", "vqnat", "vqnat_serving"):
            raise
        extra = EXTRAS.get(name, parser.extra)
        return _fail(parser.prog, f"{name} is not installed: pip install 'vqnat[{extra}]'")
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # the reader has enough; keep Python from flushing into the closed pipe at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except (OSError, MemoryError, RuntimeError) as error:
        message = fault_message(error)
        if message is None:
            raise
        return _fail(parser.prog, message)


def _fail(prog: str, message: str) -> int:
    print(f"{prog}: {message}", file=sys.stderr)
    return MISTAKE


def is_quiet() -> bool:
    """Whether only results and errors are wanted."""
    return bool(os.environ.get(QUIET))


@contextmanager
def quieted(quiet: bool) -> Iterator[None]:
    """Silence notes and progress, here and in child processes."""
    before = os.environ.get(QUIET)
    if quiet:
        os.environ[QUIET] = "1"
    try:
        yield
    finally:
        if quiet and before is None:
            del os.environ[QUIET]


def say(name: str, text: str) -> None:
    """One note on standard error: ``vqnat NAME: text``; nothing with ``--quiet``."""
    if not is_quiet():
        print(f"vqnat {name}: {text}", file=sys.stderr, flush=True)


def styled(text: str, code: int) -> str:
    """Text with an ANSI style such as 1 (bold) on a terminal, unless ``NO_COLOR`` is set; plain text elsewhere."""
    return f"\033[{code}m{text}\033[0m" if is_terminal(sys.stdout) and not os.environ.get("NO_COLOR") else text
