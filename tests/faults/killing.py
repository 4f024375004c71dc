"""A program is stopped at random moments and run again; its result must be that of an undisturbed one."""

import random
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from processes import Program
from works import Work


@dataclass
class Reference:
    """An undisturbed run."""

    result: Any
    seconds: float


@dataclass
class Outcome:
    """How a trial ended.

    Attributes:
        how: ``same`` result, ``refused`` with one line, or ``lost``: anything else.
        kills: how often the program was stopped.
        detail: what was said, or what differs.
    """

    how: str
    kills: int
    detail: str = ""


def reference(work: Work, base: Path, folder: Path) -> Reference:
    """Run a work undisturbed, twice: the second run must change nothing."""
    start = time.monotonic()
    problem = finish(work, base, folder)
    seconds = time.monotonic() - start
    assert problem is None, problem
    result = work.result(folder)
    problem = finish(work, base, folder)
    assert problem is None, problem
    assert work.result(folder) == result, f"{work.name}: run again, it changes its result"
    return Reference(result, seconds)


def finish(work: Work, base: Path, folder: Path) -> str | None:
    """Run all commands to their end; what the first said that failed."""
    folder.mkdir(parents=True, exist_ok=True)
    for words in work.commands(base, folder):
        program = Program(words, folder.with_suffix(".log"))
        if program.wait() != 0:
            program.kill()
            return f"status {program.wait()}: {program.last_line()}"
    return None


def stop_once(work: Work, base: Path, folder: Path, seconds: float, number: int) -> Program | None:
    """Run the commands and stop whichever runs after so many seconds; None if they end before."""
    folder.mkdir(parents=True, exist_ok=True)
    until = time.monotonic() + seconds
    for words in work.commands(base, folder):
        program = Program(words, folder.with_suffix(".log"))
        if program.wait(until - time.monotonic()) is None:
            program.kill(number)
            if program.wait(60) is None:
                program.kill()
                program.wait()
                raise AssertionError(f"{work.name}: still runs a minute after signal {number}")
            return program
    return None


def kill_trial(
    work: Work, base: Path, folder: Path, known: Reference, numbers: random.Random, signal_number: int
) -> Outcome:
    """Stop a work once or twice at random moments, then run it to its end."""
    kills = 0
    for _ in range(numbers.randint(1, 2)):
        stopped = stop_once(work, base, folder, numbers.uniform(0, known.seconds), signal_number)
        kills += stopped is not None
        if stopped is not None and "Traceback (most recent call last)" in stopped.output():
            return Outcome("lost", kills, f"a traceback when it was stopped: {stopped.last_line()}")
    problem = finish(work, base, folder)
    if problem is not None:
        return Outcome("lost", kills, problem)
    return compare(work, folder, known, kills)


def compare(work: Work, folder: Path, known: Reference, kills: int) -> Outcome:
    """Whether the result is the undisturbed one; removes the folder if it is."""
    found = work.result(folder)
    if found == known.result:
        shutil.rmtree(folder)
        return Outcome("same", kills)
    differing = sorted(n for n in {*found, *known.result} if found.get(n) != known.result.get(n))
    return Outcome("lost", kills, f"differs in {', '.join(differing)[:300]}")
