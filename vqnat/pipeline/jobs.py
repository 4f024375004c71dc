"""A stage at work, and the run of all stages from first to last."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from vqnat.pipeline.children import ChildFailed, Stopped, run_child, tail
from vqnat.pipeline.progress import Screen, Task, minutes
from vqnat.pipeline.scheduler import run_stages
from vqnat.pipeline.stages import Stage, Store


class StageFailed(Exception):
    """A stage ended with an error; the message names it and says why."""


@dataclass
class Job:
    """One stage at work."""

    stage: Stage
    log: Path
    task: Task
    stop: threading.Event

    def child(self, command: Sequence[str], threads: int | None = None, poll: Callable[[], None] | None = None) -> None:
        """Run a program of the stage; without ``poll``, its last line of output is its progress."""
        threads = self.stage.cores if threads is None else threads
        run_child(command, self.log, threads, self.stop, poll or self._last_line)

    def _last_line(self) -> None:
        line = tail(self.log, 1).removeprefix("  | ").strip()
        self.task.note("" if line.startswith("$ ") else line)  # do not show the command itself


def run_pipeline(
    stages: Sequence[Stage], store: Store, cores: int, stop: threading.Event, again: Sequence[str] = ()
) -> None:
    """Run the stages that are not done. Raises StageFailed, or KeyboardInterrupt if the user stops it."""
    screen = Screen([stage.name for stage in stages])
    to_do = store.to_do(again)
    wanted = {stage.name for stage in to_do}
    for stage in stages:
        if stage.name not in wanted:
            screen.say(f"{screen.label(stage.name)}: done before, in {minutes(store.seconds(stage.name))}")

    def work(stage: Stage) -> None:
        label = screen.label(stage.name)
        continued = store.begin(stage)
        screen.say(f"{label}: {stage.title}{' (continued)' if continued else ''} ...")
        task, start = screen.task(stage.name), time.monotonic()
        try:
            stage.work(Job(stage, store.log(stage.name), task, stop))
        except Stopped:
            raise
        except Exception as error:
            what = str(error) if isinstance(error, ChildFailed) else f"{type(error).__name__}: {error}"
            raise StageFailed(f"{label} failed: {what}") from error
        finally:
            task.close()
        seconds = time.monotonic() - start
        store.finish(stage, seconds)
        screen.say(f"{label}: done in {minutes(seconds)}")

    run_stages(to_do, cores, work, stop)
