"""What the user sees while stages run: bars on a terminal, occasional lines elsewhere."""

import sys
import threading
import time
from collections.abc import Sequence

from tqdm import tqdm

EVERY = 20.0  # seconds between plain lines of one stage
BAR = "{desc}  {percentage:3.0f}% {bar:24} {n_fmt}/{total_fmt} updates  {elapsed}<{remaining}{postfix}"


class Screen:
    """Numbers the stages and assigns each a line of the terminal. Used by several threads.

    Args:
        names: all stages in order, including those that are done.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self.numbers = {name: number for number, name in enumerate(names, 1)}
        self.lock = threading.Lock()
        self.slots: set[int] = set()
        self.terminal = sys.stderr.isatty()

    def say(self, text: str) -> None:
        """One line above the bars."""
        tqdm.write(text, file=sys.stderr)
        sys.stderr.flush()

    def label(self, name: str) -> str:
        """``[3/12] teacher``."""
        return f"[{self.numbers[name]}/{len(self.numbers)}] {name}"

    def task(self, name: str) -> "Task":
        """A line for the stage that starts now."""
        with self.lock:
            slot = next(n for n in range(len(self.slots) + 1) if n not in self.slots)
            self.slots.add(slot)
        return Task(self, name, slot)

    def release(self, slot: int) -> None:
        """The stage has ended."""
        with self.lock:
            self.slots.discard(slot)


class Task:
    """The progress of one stage."""

    def __init__(self, screen: Screen, name: str, slot: int) -> None:
        self.screen, self.name, self.slot = screen, name, slot
        self.label = screen.label(name)
        self.start = self.next_line = time.monotonic()
        self.next_line += EVERY
        self.last_line = ""
        self.bar: tqdm | None = None

    def count(self, done: int, total: int, text: str) -> None:
        """Show ``done`` of ``total`` updates and ``text``."""
        if self.screen.terminal:
            if self.bar is None or self.bar.total != total:
                self._close()
                # initial: updates before a resumption took no time in this run
                options = {"total": total, "initial": done, "bar_format": BAR, "position": self.slot}
                self.bar = tqdm(desc=self.label, leave=False, smoothing=0.1, file=sys.stderr, **options)
                self.first = (done, time.monotonic())
            self.bar.set_postfix_str(text, refresh=False)
            self.bar.update(done - self.bar.n)
            return
        if not hasattr(self, "first"):
            self.first = (done, time.monotonic())
        speed = (done - self.first[0]) / max(time.monotonic() - self.first[1], 1e-9)
        left = f", {tqdm.format_interval((total - done) / speed)} left" if speed > 0 else ""
        self._line(f"{done}/{total} updates, {text}{left}")

    def note(self, text: str) -> None:
        """The last line of output of a program without a count of updates."""
        if self.screen.terminal:
            if self.bar is None:
                options = {
                    "bar_format": "{desc}",
                    "position": self.slot,
                    "leave": False,
                    "dynamic_ncols": True,
                }
                self.bar = tqdm(total=0, file=sys.stderr, **options)
            seconds = tqdm.format_interval(time.monotonic() - self.start)
            self.bar.set_description_str(f"{self.label}  {seconds}  {text}"[: (self.bar.ncols or 100) - 1])
        elif text:
            self._line(text)

    def _line(self, text: str) -> None:
        now = time.monotonic()
        if now >= self.next_line and text != self.last_line:  # a program may print nothing for longer than EVERY
            self.next_line, self.last_line = now + EVERY, text
            self.screen.say(f"{self.label}: {text}")

    def _close(self) -> None:
        if self.bar is not None:
            self.bar.close()
            self.bar = None

    def close(self) -> None:
        """Free the line of the terminal."""
        self._close()
        self.screen.release(self.slot)


def minutes(seconds: float) -> str:
    """``3 min 12 s``."""
    whole = round(seconds)
    return f"{whole} s" if whole < 60 else f"{whole // 60} min {whole % 60:02d} s"
