"""Progress on standard error: bars on a terminal, lines elsewhere, nothing with ``--quiet``."""

import sys
import time
from types import TracebackType
from typing import Any

from vqnat_serving.arguments import is_terminal
from vqnat_serving.console import is_quiet, say

FIRST, LATER = 10.0, 60.0  # seconds from the start to the first plain line, and between later ones
REDRAWN = 0.2  # seconds between drawings of a bar without a thread of its own


def duration(seconds: float) -> str:
    """``3:07`` or ``1:02:03``."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


class Progress:
    """Counts what is done, with speed and time left. The clock starts at the first update, as loading takes no part.

    Args:
        name: of the command.
        total: how many there are.
        done: how many an earlier run has finished; they do not count towards the speed.
        unit: what they are, such as ``sentences``.
    """

    def __init__(self, name: str, total: int, done: int = 0, unit: str = "sentences") -> None:
        self.name, self.total, self.now, self.unit = name, total, done, unit
        self.start: float | None = None
        self.bar: Any = None

    def update(self, count: int) -> None:
        """Add what is finished."""
        if not count:
            return
        self.now += count
        if self.start is None:
            self.before, self.start = self.now, time.monotonic()
            self.next_line = self.start + FIRST
            if is_terminal(sys.stderr) and not is_quiet():
                self._open()
        elif self.bar is not None:
            self.bar.update(self.task, completed=self.now, speed=self._speed())
        elif time.monotonic() > self.next_line:
            self.next_line = time.monotonic() + LATER
            self._line()

    def close(self) -> None:
        """Print the final count, unless nothing was done."""
        if self.bar is not None:
            self.bar.stop()
        elif self.start is not None:
            self._line()

    def _open(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
        from rich.progress import Progress as Bar

        left = TimeRemainingColumn(elapsed_when_finished=False)
        speed = TextColumn("{task.fields[speed]:.1f} " + f"{self.unit}/s")
        columns = (TextColumn(self.name), BarColumn(), MofNCompleteColumn(), speed, TimeElapsedColumn(), "<", left)
        self.bar = Bar(*columns, console=Console(stderr=True), redirect_stdout=False)
        self.task = self.bar.add_task("", total=self.total, completed=self.now, speed=0.0)
        self.bar.start()

    def _speed(self) -> float:
        assert self.start is not None
        return (self.now - self.before) / max(1e-9, time.monotonic() - self.start)

    def _line(self) -> None:
        text, speed = f"{self.now}/{self.total} {self.unit}", self._speed()
        if speed:
            text += f", {speed:.1f} {self.unit}/s, {duration((self.total - self.now) / speed)} left"
        say(self.name, text)


class Steps:
    """The steps of a command, one after another: each a line, on a terminal with its time and, if counted, a bar.

    Args:
        name: of the command.
        thread: whether a thread may draw; False where it would disturb a timing: then only the methods draw.
    """

    def __init__(self, name: str, thread: bool = True) -> None:
        self.name, self.thread = name, thread
        self.bar: Any = None
        self.text: str | None = None

    def step(self, text: str, total: int | None = None) -> None:
        """Begin a step; the one before has ended.

        Args:
            text: what is done in it.
            total: how often :meth:`advance` will be called.
        """
        if is_quiet():
            return
        if not is_terminal(sys.stderr):
            say(self.name, text)
            return
        if self.bar is None:
            self._open()
        self._end_step()
        self.text, self.start = text, time.monotonic()
        self.task = self.bar.add_task(text, total=total)
        self._draw()

    def advance(self) -> None:
        """One more of the step's total is done."""
        if self.bar is not None:
            self.bar.advance(self.task)
            if time.monotonic() - self.drawn > REDRAWN:
                self._draw()

    def close(self) -> None:
        """The last step has ended, or all was stopped."""
        if self.bar is not None:
            self._end_step()
            self.bar.stop()
            self.bar = None

    def __enter__(self) -> "Steps":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self.text = None  # not done
        self.close()

    def _open(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
        from rich.progress import Progress as Bar

        columns = (
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=20),
            TimeElapsedColumn(),
        )
        shown = {"console": Console(stderr=True), "redirect_stdout": False, "transient": True}
        self.bar = Bar(*columns, auto_refresh=self.thread, **shown)
        self.bar.start()

    def _end_step(self) -> None:
        from rich.text import Text

        for task in self.bar.task_ids:
            self.bar.remove_task(task)
        if self.text is not None:
            line = Text.assemble(("✓ ", "green"), self.text, (f"  {duration(time.monotonic() - self.start)}", "dim"))
            self.bar.console.print(line)
        self.text = None

    def _draw(self) -> None:
        self.drawn = time.monotonic()
        if not self.thread:
            self.bar.refresh()
