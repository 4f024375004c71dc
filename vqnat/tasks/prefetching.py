"""Ends fairseq's reading ahead before Python ends.

fairseq collates batches in a daemon thread. A training stops at ``--max-update``, mostly inside an epoch, while that
thread may be inside torch: Python then ends a thread that holds C++ frames, the process aborts ("terminate called
without an active exception") and a finished training looks failed.
"""

import atexit
import contextlib
import queue
import threading
import time

from fairseq.data.iterators import BackgroundConsumer

PATIENCE = 10.0  # seconds for the batch in hand; a reader that hangs must not keep the process


def stop_at_exit() -> None:
    """Let every process that trains or translates stop its readers when it ends; calling it twice is harmless."""
    atexit.unregister(stop_readers)
    atexit.register(stop_readers)


def stop_readers() -> None:
    """Let all background readers finish the batch in hand and end."""
    deadline = time.monotonic() + PATIENCE
    for reader in threading.enumerate():
        if isinstance(reader, BackgroundConsumer):
            reader._max_len = 0  # it stops after its next batch
            while reader.is_alive() and time.monotonic() < deadline:
                with contextlib.suppress(queue.Empty):
                    reader._queue.get(timeout=0.01)  # makes room where it waits to put a batch
