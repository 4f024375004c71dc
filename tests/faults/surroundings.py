"""Faults of what a program runs in: the disk, the clock, its memory, its inputs, its workers, a second run."""

import contextlib
import os
import random
import re
import resource
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from killing import Outcome, Reference, compare, finish
from processes import Program
from works import Work

# Python's report of an error in a destructor, which ends nothing, is no traceback of the program.
TRACEBACK = re.compile(r"^(?!Exception ignored in).*\nTraceback \(most recent call last\)|\ATraceback", re.MULTILINE)
YEAR = 365 * 24 * 3600.0


class CannotMountError(OSError):
    """This user, or this machine, may not mount a file system."""


def said_in_one_line(program: Program) -> str | None:
    """None if a program that failed said why in one line and without a traceback; else what is wrong."""
    if program.status == 0:
        return None
    if TRACEBACK.search(program.output()):
        return f"a traceback: {program.last_line()[:200]}"
    return None if program.last_line() else "it said nothing"


def run_once(work: Work, base: Path, folder: Path, before: Callable[[], object] | None = None) -> Program:
    """Run the commands of a work until one fails; returns the last that ran."""
    for words in work.commands(base, folder):
        program = Program(words, folder.with_suffix(".log"), before)
        if program.wait() != 0:
            program.kill()
            program.wait()
            return program
    return program


@contextlib.contextmanager
def small_disk(folder: Path, size: int) -> Iterator[None]:
    """A file system of its own with so many bytes. Raises CannotMountError where this is not allowed."""
    folder.mkdir(parents=True, exist_ok=True)
    mount("-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder)
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def mount(*words: object) -> None:
    done = subprocess.run(["mount", *map(str, words)], capture_output=True, text=True)
    if done.returncode:
        raise CannotMountError(done.stderr.strip())


def again(work: Work, base: Path, folder: Path, known: Reference, problem: str | None, faults: int = 1) -> Outcome:
    """Run a work to its end after a fault."""
    if problem is not None:
        return Outcome("lost", faults, problem)
    problem = finish(work, base, folder)
    return Outcome("lost", faults, problem) if problem else compare(work, folder, known, faults)


def disk_full(work: Work, base: Path, folder: Path, known: Reference, numbers: random.Random) -> Outcome:
    """A disk with room for a part of the result; then for all of it."""
    whole = sum(path.stat().st_size for path in (base / "sizes" / work.name).rglob("*") if path.is_file())
    pages = max(2, int(whole * numbers.uniform(0.05, 1.0)) // 4096)
    with small_disk(folder, pages * 4096):
        program = run_once(work, base, folder)
        problem = said_in_one_line(program)
        mount("-o", "remount,size=1g", folder)
        found = again_mounted(work, base, folder, known, problem, program.status != 0)
    shutil.rmtree(folder, ignore_errors=True)
    return found


def read_only(work: Work, base: Path, folder: Path, known: Reference, numbers: random.Random) -> Outcome:
    """A folder that cannot be written; then it can."""
    with small_disk(folder, 1 << 28):
        mount("-o", "remount,ro", folder)
        program = run_once(work, base, folder)
        problem = said_in_one_line(program) if program.status else "it did not fail"
        mount("-o", "remount,rw", folder)
        found = again_mounted(work, base, folder, known, problem, True)
    shutil.rmtree(folder, ignore_errors=True)
    return found


def again_mounted(work: Work, base: Path, folder: Path, known: Reference, problem: str | None, failed: bool) -> Outcome:
    """As :func:`again`, where the folder cannot be removed."""
    problem = problem or finish(work, base, folder)
    if problem:
        return Outcome("lost", int(failed), problem)
    found = work.result(folder)
    differing = sorted(n for n in {*found, *known.result} if found.get(n) != known.result.get(n))
    if differing:
        return Outcome("lost", int(failed), f"differs in {', '.join(differing)[:300]}")
    return Outcome("same", int(failed))


def clock_set_back(work: Work, base: Path, folder: Path, known: Reference, numbers: random.Random) -> Outcome:
    """Killed, and run again a year earlier."""
    program = Program(work.commands(base, folder_of(folder))[0], folder.with_suffix(".log"))
    if program.wait(numbers.uniform(0, known.seconds)) is None:
        program.kill()
        program.wait()

    def earlier() -> None:
        now = time.time
        time.time = lambda: now() - YEAR

    program = run_once(work, base, folder, earlier)
    problem = None if program.status == 0 else f"status {program.status}: {program.last_line()}"
    return again(work, base, folder, known, problem)


def folder_of(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def vanished_input(work: Work, base: Path, folder: Path, known: Reference, numbers: random.Random) -> Outcome:
    """The inputs are removed while the program runs; then they are back."""
    inputs = folder.with_suffix(".inputs")
    shutil.copytree(base, inputs, ignore=shutil.ignore_patterns("sizes", "teacher", "latent"))
    program = Program(work.commands(inputs, folder_of(folder))[0], folder.with_suffix(".log"))
    program.wait(numbers.uniform(0, known.seconds))
    shutil.rmtree(inputs)
    program.wait()
    problem = said_in_one_line(program)
    # The commands' words are those of the folder that vanished, so that the results can be compared.
    shutil.copytree(base, inputs, ignore=shutil.ignore_patterns("sizes", "teacher", "latent"))
    found = again(work, inputs, folder, known, problem, int(program.status != 0))
    shutil.rmtree(inputs)
    return found


def out_of_memory(work: Work, base: Path, folder: Path, known: Reference, numbers: random.Random) -> Outcome:
    """A limit of address space that the program reaches sooner or later; then none."""
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    limit = used + int(numbers.uniform(1, 60) * 2**20)
    program = run_once(work, base, folder_of(folder), lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)))
    return again(work, base, folder, known, said_in_one_line(program), int(program.status != 0))


def second_run(work: Work, base: Path, folder: Path, known: Reference, numbers: random.Random) -> Outcome:
    """The same command twice at the same time: each gives the result, or says in one line that the other is there."""
    words = work.commands(base, folder_of(folder))
    first = Program(words[0], folder.with_suffix(".first"))
    time.sleep(numbers.uniform(0, known.seconds))
    second = Program(words[0], folder.with_suffix(".second"))
    statuses = [first.wait(), second.wait()]
    problem = said_in_one_line(first) or said_in_one_line(second)
    if problem is None and 0 not in statuses:
        problem = f"both failed: {first.last_line()[:150]} / {second.last_line()[:150]}"
    for name in (".first", ".second"):
        folder.with_suffix(name).unlink(missing_ok=True)
    return again(work, base, folder, known, problem, int(0 in statuses))


def hanging_worker(work: Work, base: Path, folder: Path, known: Reference, numbers: random.Random) -> Outcome:
    """A child process stands still, goes on, and is killed: its parent ends and says so in one line."""
    program = Program(work.commands(base, folder_of(folder))[0], folder.with_suffix(".log"))
    until = time.monotonic() + 60
    while not (children := program.children()) and program.poll() is None and time.monotonic() < until:
        time.sleep(0.005)
    time.sleep(numbers.uniform(0, known.seconds / 2))
    child = numbers.choice(children or [0])
    hurt = False
    with contextlib.suppress(ProcessLookupError):
        if child:
            os.kill(child, signal.SIGSTOP)
            time.sleep(0.3)
            os.kill(child, signal.SIGKILL)
            hurt = True
    if program.wait(60) is None:
        program.kill()
        program.wait()
        return Outcome("lost", 1, "it still waits for its worker after a minute")
    return again(work, base, folder, known, said_in_one_line(program), int(hurt))


FAULTS: dict[str, Callable[..., Outcome]] = {
    "disk full": disk_full,
    "read-only folder": read_only,
    "clock set back a year": clock_set_back,
    "input removed": vanished_input,
    "out of memory": out_of_memory,
    "two runs at once": second_run,
    "worker stopped and killed": hanging_worker,
}
