"""Dynamic batching: sentences that arrive together are translated together.

One thread runs the model, so that requests never compete for the processor's cores. While it runs, what arrives waits
and forms the next batch. An idle model begins at once, or waits a little for company if it is told to, which makes
batches larger and answers slower.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from time import perf_counter
from typing import Generic, TypeVar

Job = TypeVar("Job")
Result = TypeVar("Result")
Outcome = TypeVar("Outcome")


class QueueFull(Exception):
    """Too many sentences wait."""


@dataclass
class _Waiting(Generic[Job, Result]):
    job: Job
    cost: int
    answer: "asyncio.Future[Result]"
    since: float


class Batcher(Generic[Job, Result]):
    """Collects jobs into batches and hands each to a function that runs in a thread of its own.

    Create, use and close it in one event loop.

    Args:
        run: from the jobs of a batch to their results, in order.
        most: the highest cost of a batch; a job that costs more is alone.
        wait: seconds that the first job of a batch waits for others, when nothing is running.
        room: the most jobs that wait or run.
        seen: told each batch's size, the seconds that its jobs waited, and the seconds that it ran.
        moved: told by how much the number of jobs inside has changed.
    """

    def __init__(
        self,
        run: Callable[[list[Job]], list[Result]],
        most: int,
        wait: float,
        room: int,
        seen: Callable[[int, list[float], float], None] = lambda size, waited, ran: None,
        moved: Callable[[int], None] = lambda change: None,
    ):
        self._run, self._most, self._wait, self._room = run, most, wait, room
        self._seen, self._moved = seen, moved
        self._queue: deque[_Waiting[Job, Result]] = deque()
        self._inside = 0  # waiting or running
        self._arrived = asyncio.Event()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="model")
        self._worker = asyncio.create_task(self._work())

    async def submit(self, jobs: Sequence[tuple[Job, int]]) -> list[Result]:
        """The results of jobs, each given with its cost.

        A caller that gives up (is cancelled) takes back those of its jobs that have not begun.

        Raises:
            QueueFull: there is no room for all of them; none was taken.
            Exception: what ``run`` raised.
        """
        self._take(len(jobs))
        loop = asyncio.get_running_loop()
        waiting = [_Waiting(job, cost, loop.create_future(), perf_counter()) for job, cost in jobs]
        for one in waiting:
            one.answer.add_done_callback(self._leave)
        self._queue.extend(waiting)
        self._arrived.set()
        return list(await asyncio.gather(*(one.answer for one in waiting)))

    async def alone(self, function: Callable[[], Outcome]) -> Outcome:
        """What a function returns that is run between two batches, with no other job beside it."""
        self._take(1)
        answer = asyncio.get_running_loop().run_in_executor(self._thread, function)
        answer.add_done_callback(self._leave)
        return await answer

    async def close(self) -> None:
        """Finish what waits, then end the thread."""
        while self._inside:
            await asyncio.sleep(0.005)
        self._worker.cancel()
        await asyncio.gather(self._worker, return_exceptions=True)
        self._thread.shutdown()

    def _take(self, count: int) -> None:
        if self._inside + count > self._room:
            raise QueueFull
        self._change(count)

    def _leave(self, _: object) -> None:
        self._change(-1)

    def _change(self, change: int) -> None:
        self._inside += change
        self._moved(change)

    async def _work(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            self._arrived.clear()
            if not self._queue:
                await self._arrived.wait()
                await asyncio.sleep(0)  # what arrived in the same turn of the loop shares the batch
            if self._wait and sum(one.cost for one in self._queue) < self._most:
                await self._gather_more()
            if not (batch := self._next_batch()):
                continue  # all were taken back
            begun = perf_counter()
            try:
                results = await loop.run_in_executor(self._thread, self._run, [one.job for one in batch])
            except Exception as error:
                for one in batch:
                    if not one.answer.done():
                        one.answer.set_exception(error)
                continue
            self._seen(len(batch), [begun - one.since for one in batch], perf_counter() - begun)
            for one, result in zip(batch, results, strict=True):
                if not one.answer.done():  # its caller gave up meanwhile
                    one.answer.set_result(result)

    async def _gather_more(self) -> None:
        """Wait for other jobs until the oldest has waited long enough or a batch is full."""
        until = self._queue[0].since + self._wait
        while (left := until - perf_counter()) > 0 and sum(one.cost for one in self._queue) < self._most:
            self._arrived.clear()
            try:
                await asyncio.wait_for(self._arrived.wait(), left)
            except TimeoutError:
                return

    def _next_batch(self) -> list[_Waiting[Job, Result]]:
        """The oldest jobs that fit together; those taken back are dropped."""
        batch: list[_Waiting[Job, Result]] = []
        cost = 0
        while self._queue and (not batch or cost + self._queue[0].cost <= self._most):
            one = self._queue.popleft()
            if not one.answer.done():
                batch.append(one)
                cost += one.cost
        return batch
