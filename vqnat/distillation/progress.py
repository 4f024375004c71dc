"""Progress of the decoding: a bar on a terminal, an occasional line elsewhere."""

import sys
import time

from tqdm import tqdm

FIRST, LATER = 10.0, 60.0  # seconds from the start to the first plain line, and between later ones


def say(message: str) -> None:
    """Print one line for the user on stderr, like everything that is not a result."""
    print(f"distill: {message}", file=sys.stderr, flush=True)


class Progress:
    """Counts sentences. The clock starts at the first batch, as loading would distort the speed.

    Args:
        total: number of sentences.
        done: sentences finished by an earlier run; they do not count towards the speed.
    """

    def __init__(self, total: int, done: int) -> None:
        self.total, self.now = total, done
        self.start: float | None = None
        self.bar: tqdm | None = None

    def update(self, sentences: int) -> None:
        """Add finished sentences."""
        if not sentences:
            return
        self.now += sentences
        if self.start is None:
            self.before, self.start = self.now, time.monotonic()
            self.next_line = self.start + FIRST
            if sys.stderr.isatty():
                # smoothing 0 shows the mean speed: batches of short and long sentences alternate
                self.bar = tqdm(total=self.total, initial=self.now, unit=" sentences", smoothing=0, desc="distill")
        elif self.bar is not None:
            self.bar.update(sentences)
        elif time.monotonic() > self.next_line:
            self.next_line = time.monotonic() + LATER
            self._line()

    def _line(self) -> None:
        speed = (self.now - self.before) / max(1e-9, time.monotonic() - self.start)
        text = f"{self.now}/{self.total} sentences"
        if speed:
            left = tqdm.format_interval((self.total - self.now) / speed)
            text += f", {speed:.1f} sentences/s, {left} left"
        say(text)

    def close(self) -> None:
        """Print the final count, unless nothing was done."""
        if self.bar is not None:
            self.bar.close()
        elif self.start is not None:
            self._line()
