"""Several shards at the same time on one machine, each in its own process."""

import multiprocessing
import os
import signal
import threading
from multiprocessing.connection import wait
from typing import Any

import vqnat.plugin  # noqa: F401  (registration, in the children too)
from vqnat.checkpoints.user_dir import import_user_dir
from vqnat.distillation.batches import plan_batches
from vqnat.distillation.distill_options import Options
from vqnat.distillation.shards import Tail, journal_path, run_shard
from vqnat.distillation.sources import Sources
from vqnat.errors import UserError
from vqnat.silence import silence_imports
from vqnat.terminal.progress import Progress

POLL = 0.5  # seconds between looks at the journals


def run_jobs(options: Options, sources: Sources, settings: dict[str, Any], progress: Progress) -> None:
    """Run all shards and follow their journals; if one fails, end the others.

    Raises:
        UserError: the message of the shard that failed, or how it died.
    """
    context = multiprocessing.get_context("spawn")  # a forked child cannot use CUDA
    messages = context.SimpleQueue()
    children = [
        context.Process(target=_child, args=(options, sources, settings, shard, messages), daemon=True)
        for shard in range(options.jobs)
    ]
    batches = plan_batches(sources.lengths, options.max_tokens, options.batch_size)
    tails = [Tail(journal_path(options, shard), batches) for shard in range(options.jobs)]
    for tail in tails:
        tail.more()  # what an earlier run has finished is counted already
    for child in children:
        child.start()
    try:
        while running := [child.sentinel for child in children if child.exitcode is None]:
            wait(running, timeout=POLL)
            progress.update(sum(tail.more() for tail in tails))
            for shard, child in enumerate(children):
                if child.exitcode:
                    raise UserError(_why(shard, child.exitcode) if messages.empty() else messages.get())
        progress.update(sum(tail.more() for tail in tails))
    finally:
        for child in children:
            child.terminate()  # safe at any point, see journal.py
            child.join()


def _why(shard: int, code: int) -> str:
    if code < 0:
        return (
            f"shard {shard} was ended by signal {-code} (short of memory?); run the same command again, "
            "or start over with fewer --jobs or a smaller --max-tokens"
        )
    return f"shard {shard} failed with status {code}, see above; run the same command again"


def _child(options: Options, sources: Sources, settings: dict[str, Any], shard: int, messages: Any) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the parent, which ends its children
    threading.Thread(target=_leave_with_parent, daemon=True).start()
    silence_imports()
    try:
        import_user_dir(options.user_dir)
        run_shard(options, sources, settings, shard, report=lambda sentences: None)
    except UserError as error:
        messages.put(str(error))
        raise SystemExit(2) from None


def _leave_with_parent() -> None:
    """End this process once its parent is gone, even by kill -9: a new run needs the journal."""
    wait([multiprocessing.parent_process().sentinel])
    os._exit(1)
