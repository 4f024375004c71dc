"""Ends fairseq's prefetching threads before Python exits.

fairseq collates batches in a daemon thread. Training stops at ``--max-update``, usually within an epoch, when that
thread may be inside torch: Python then ends a thread that holds C++ frames, the process aborts ("terminate called
without an active exception") and a finished training looks as if it had failed.
"""

import atexit
import contextlib
import queue
import threading
import time

from fairseq.data.iterators import BackgroundConsumer

PATIENCE = 10.0  # seconds for the current batch; a thread that hangs must not keep the process alive


def stop_at_exit() -> None:
    """Let the process stop its prefetching threads when it exits; calling this twice is harmless."""
    atexit.unregister(stop_readers)
    atexit.register(stop_readers)


def stop_readers() -> None:
    """Let all prefetching threads finish their current batch and end."""
    deadline = time.monotonic() + PATIENCE
    for reader in threading.enumerate():
        if isinstance(reader, BackgroundConsumer):
            reader._max_len = 0  # it stops after its next batch
            while reader.is_alive() and time.monotonic() < deadline:
                with contextlib.suppress(queue.Empty):
                    reader._queue.get(timeout=0.01)  # makes room for the batch that it is waiting to put
