"""Runs stages once their inputs are done and cores are free."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from vqnat.pipeline.stages import Stage


def run_stages(stages: Sequence[Stage], cores: int, work: Callable[[Stage], None], stop: threading.Event) -> None:
    """Run ``work(stage)`` for every stage; an input that is not among ``stages`` counts as done.

    Args:
        stages: earlier ones are preferred if several could start.
        cores: limit on the sum of ``stage.cores`` running at a time; a stage that wants more gets all of them.
        work: does one stage, in a thread of its own.
        stop: set at the first error and at Ctrl-C; ``work`` must then give up.
    """
    waiting = list(stages)
    unfinished = {stage.name for stage in stages}
    running: dict[Future, Stage] = {}
    free = cores
    with ThreadPoolExecutor(max_workers=cores) as pool:
        try:
            while waiting or running:
                for stage in list(waiting):
                    if min(stage.cores, cores) <= free and unfinished.isdisjoint(stage.inputs):
                        waiting.remove(stage)
                        free -= min(stage.cores, cores)
                        running[pool.submit(work, stage)] = stage
                if not running:
                    raise RuntimeError(f"no stage can start: {', '.join(stage.name for stage in waiting)}")
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    stage = running.pop(future)
                    free += min(stage.cores, cores)
                    future.result()
                    unfinished.discard(stage.name)
        except BaseException:
            stop.set()
            raise
