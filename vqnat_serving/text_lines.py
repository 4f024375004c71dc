"""Text that somebody else has written, line by line: what a line is, and what becomes of a bad one.

Only a line feed ends a line: files of two languages stay parallel whatever other separators their lines hold. A line
is bad if it is longer than :data:`LONGEST`, not UTF-8, or not translatable. The first bad line ends a command, or the
command is told to go on; then bad lines are named, up to :data:`NAMED` of them, and counted.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO, NamedTuple

from vqnat_serving.errors import UserError

LONGEST = 1 << 20  # bytes of a line
NAMED = 20


class Line(NamedTuple):
    """A line without its end, and what errors call it: ``input.en, line 3``."""

    text: str
    where: str


@dataclass
class BadLines:
    """Keeps count of bad lines.

    Attributes:
        tell: says a note; None: the first bad line is a UserError.
        count: how many there were.
    """

    tell: Callable[[str], None] | None = None
    count: int = 0

    def meet(self, message: str) -> None:
        """Note a bad line. Raises UserError, unless they are only counted."""
        self.count += 1
        if self.tell is None:
            raise UserError(message)
        if self.count <= NAMED:
            self.tell(message)

    def sum_up(self, done: str) -> None:
        """Say how many there were, if any, and what was done with them."""
        if self.count and self.tell is not None:
            self.tell(f"{self.count} bad line{'s' if self.count > 1 else ''}: {done}")


def read_lines(stream: BinaryIO, name: str, bad: BadLines) -> Iterator[Line | None]:
    """The lines of a UTF-8 file; None for a bad one."""
    number = 0
    while content := stream.readline(LONGEST + 1):
        number += 1
        where = f"{name}, line {number}"
        if len(content) > LONGEST and not content.endswith(b"\n"):
            while (rest := stream.readline(LONGEST)) and not rest.endswith(b"\n"):
                pass
            bad.meet(f"{where} has more than {LONGEST} bytes")
            yield None
            continue
        try:
            yield Line(content.decode("utf-8").removesuffix("\n"), where)
        except UnicodeDecodeError as error:
            bad.meet(f"{where}: not UTF-8 at byte {error.start}")
            yield None


def read_texts(stream: BinaryIO, name: str) -> Iterator[str]:
    """The lines of a UTF-8 file without their ends. Raises UserError for the first bad one."""
    return (line.text for line in read_lines(stream, name, BadLines()) if line is not None)
