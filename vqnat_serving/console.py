"""How every command runs: its exit status, its notes, and who may speak. Standard library only.

Results go to standard output. Notes, progress and errors go to standard error; ``--quiet`` silences all but errors.
``NO_COLOR`` turns colors off: rich and argparse heed it themselves, and :func:`styled` does.
"""

import argparse
import io
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from vqnat_serving.arguments import CommandParser, is_terminal
from vqnat_serving.errors import DEBUG, UserError, fault_message, show_traceback

QUIET = "VQNAT_QUIET"  # in the environment, so that child processes are quiet too
DONE, FAILED, MISTAKE, INTERRUPTED = 0, 1, 2, 130  # exit status
# Extras of the package by what they install, where a command may need one of several.
EXTRAS = {"torch": "train", "fairseq": "train", "onnxruntime": "serving", "huggingface_hub": "hub"}


def run_program(
    parser: CommandParser, work: Callable[[argparse.Namespace], int | None], argv: Sequence[str] | None = None
) -> int:
    """Parse, work, and return the exit status; whatever goes wrong is one line on standard error.

    With ``--debug`` a traceback comes before the line. A mistake of ours, which is one that nobody foresaw, has
    status 1 and asks for a report.

    Args:
        parser: of the command.
        work: what the command does, given its options without ``quiet``; returns a status, None for 0.
        argv: the words after the command's name; None: those of this process.
    """
    try:
        options = parser.parse_args(argv)
        with flagged(QUIET, options.quiet), flagged(DEBUG, options.debug), traced():
            del options.quiet, options.debug
            write_utf8()
            status = work(options) or DONE
            sys.stdout.flush()
            return status
    except UserError as error:
        return _fail(parser.prog, " ".join(str(error).split("\n")))
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
    except Exception as error:
        message = fault_message(error)
        if message is not None:
            return _fail(parser.prog, message)
        reason = " ".join(f"{type(error).__name__}: {error}".split())[:300]
        _fail(parser.prog, f"internal error, please report it ({reason}); --debug shows the traceback")
        return FAILED


def _fail(prog: str, message: str) -> int:
    print(f"{prog}: {message}", file=sys.stderr)
    return MISTAKE


def is_quiet() -> bool:
    """Whether only results and errors are wanted."""
    return bool(os.environ.get(QUIET))


@contextmanager
def flagged(name: str, wanted: bool) -> Iterator[None]:
    """Set a variable of the environment, for this process and its children."""
    before = os.environ.get(name)
    if wanted:
        os.environ[name] = "1"
    try:
        yield
    finally:
        if wanted and before is None:
            del os.environ[name]


@contextmanager
def traced() -> Iterator[None]:
    """Print where an exception came from, with ``--debug``."""
    try:
        yield
    except BrokenPipeError:
        raise
    except Exception:
        show_traceback()
        raise


def write_utf8() -> None:
    """Let results be UTF-8 whatever the locale, as the text is that they come from; a terminal keeps its encoding."""
    if isinstance(sys.stdout, io.TextIOWrapper) and not is_terminal(sys.stdout):
        sys.stdout.reconfigure(encoding="utf-8")


def say(name: str, text: str) -> None:
    """One note on standard error: ``vqnat NAME: text``; nothing with ``--quiet``."""
    if not is_quiet():
        print(f"vqnat {name}: {text}", file=sys.stderr, flush=True)


def styled(text: str, code: int) -> str:
    """Text with an ANSI style such as 1 (bold) on a terminal, unless ``NO_COLOR`` is set; plain text elsewhere."""
    return f"\033[{code}m{text}\033[0m" if is_terminal(sys.stdout) and not os.environ.get("NO_COLOR") else text
