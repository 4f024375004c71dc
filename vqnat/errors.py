"""A user's mistake as one line instead of a traceback."""

import signal
import sys
import threading
from types import FrameType, TracebackType

from vqnat_serving.errors import UserError, ran_out_of_memory, run_command

__all__ = ["UserError", "install_hook", "ran_out_of_memory", "run_command", "user_message"]

INTERRUPTED = "interrupted; what is finished is kept"
# What gloo and NCCL say when a process that takes part has ended.
LOST_REPLICA = (
    "Connection closed by peer",
    "Connection reset by peer",
    "Socket closed",
    "Broken pipe",
    "remote process",
)


def install_hook() -> None:
    """Let a user's mistake end fairseq's command lines with one line; other exceptions keep their traceback.

    fairseq's programs catch nothing, but where fairseq reads its options it passes over any error, Ctrl-C among them,
    and fails later at what it did not read; so the hook knows of Ctrl-C by itself. It sees uncaught exceptions only:
    callers of the Python API still get them.
    """
    if getattr(sys.excepthook, "of_vqnat", False):
        return
    shown_before = sys.excepthook
    interrupts: list[int] = []

    def interrupt(number: int, frame: FrameType | None) -> None:
        interrupts.append(number)
        signal.default_int_handler(number, frame)

    usual = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if usual and threading.current_thread() is threading.main_thread():  # others may not set handlers
        signal.signal(signal.SIGINT, interrupt)

    def hook(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
        message = INTERRUPTED if interrupts else user_message(error, traceback)
        interrupts.clear()
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
    if isinstance(error.__context__, UserError):  # fairseq replaces it with "ensure that the architectures match"
        return str(error.__context__)
    if isinstance(error, KeyboardInterrupt):
        return INTERRUPTED
    if isinstance(error, OSError) and str(error).startswith("Model file not found: "):  # fairseq's words
        return f"--path {str(error).removeprefix('Model file not found: ')}: no such checkpoint"
    # fairseq looks where it began, and may fail at that (TypeError): its detector knows tensors and tuples only.
    if isinstance(error, FloatingPointError) or isinstance(error.__context__, FloatingPointError):
        return (
            "the loss or its gradients are not finite, or differ between processes; try a lower --lr, more "
            "--warmup-updates, or --clip-norm 1, and continue from the last checkpoint"
        )
    if isinstance(error, RuntimeError) and any(words in str(error) for words in LOST_REPLICA):
        return (
            "another process of this training has ended, so this one does too; when all have, run the same commands "
            "again: they continue from the last checkpoint"
        )
    if isinstance(error, RuntimeError) and str(error).startswith("DataLoader worker"):
        return f"{str(error).splitlines()[0]} Run the same command again: it continues from the last checkpoint"
    if ran_out_of_memory(error):
        return "out of memory; a smaller --max-tokens needs less. What is finished is kept: run the same command again"
    if isinstance(error, OSError) and error.filename is not None:  # no such file, read-only, no space
        return f"{error.filename}: {error.strerror}"
    while traceback is not None:
        frame = traceback.tb_frame
        if frame.f_code.co_name == "load_checkpoint_to_cpu":
            return f"{frame.f_locals.get('path')}: not a readable checkpoint ({type(error).__name__})"
        traceback = traceback.tb_next
    return None
