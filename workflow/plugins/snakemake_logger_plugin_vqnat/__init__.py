"""Snakemake's logger plugin of this workflow: ``snakemake --logger vqnat``.

On a terminal a bar for each running job, elsewhere an occasional line: updates, loss and time left of trainings,
sentences of translations, otherwise the last line of a job's log. A job that fails is one line that names it and its
log, and the end of that log.
"""

import contextlib
import json
import re
import sys
import threading
import time
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.common import LogEvent

from vqnat.records.training_logs import Follower, parse

EVERY = 20.0  # seconds between plain lines of one job
LOOK = 1.0  # seconds between looks at the logs
TAIL = 20  # lines of a failed job's log
TOTAL = re.compile(r"--max-update (\d+)")
PARAMS = re.compile(r"(?<=since last execution: )Union of exclusive params .*?before: (.*?) now: ([^;]*)", re.DOTALL)
DISTILLED = re.compile(r"(\d+)/(\d+) sentences")


def duration(seconds: float) -> str:
    """``3 min 12 s``."""
    whole = round(seconds)
    if whole >= 3600:
        return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
    return f"{whole} s" if whole < 60 else f"{whole // 60} min {whole % 60:02d} s"


def tail(path: Path, lines: int) -> list[str]:
    """The last lines of a log, as a terminal would show them."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 20000))
        text = file.read().decode("utf-8", "replace").rstrip()
    return [line.rsplit("\r", 1)[-1] for line in text.split("\n")[-lines:]] if text else []


def changed_words(before: str, now: str) -> str:
    """What differs between two command lines: ``--lr 0.004 -> 0.002, --seed 1 -> nothing``."""
    old, new = before.split(), now.split()
    parts = []
    for kind, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "equal":
            continue
        option = next((word for word in reversed(new[:c]) if word.startswith("--")), "")
        whole = any(words[0].startswith("--") for words in (old[a:b], new[c:d]) if words)
        change = f"{' '.join(old[a:b]) or 'nothing'} -> {' '.join(new[c:d]) or 'nothing'}"
        parts.append(change if whole or not option else f"{option} {change}")
    return ", ".join(parts)


class Job:
    """A running job: what its log and its output say about its progress."""

    def __init__(self, record: Any) -> None:
        label, _, self.title = (record.rule_msg or record.rule_name).partition(": ")
        self.label, self.start = label, time.monotonic()
        self.followers = [Follower(Path(name)) for name in record.log]
        self.followers += [Follower(Path(name)) for name in record.output if name.endswith(".generated.txt")]
        found = TOTAL.search(record.shellcmd or "")
        self.total = int(found[1]) if found else self._settled(record.input)
        self.done, self.unit, self.note, self.first = 0, "updates", "", None
        self.next_line, self.said = self.start + EVERY, ""

    @staticmethod
    def _settled(inputs: list[str]) -> int | None:
        """The updates of an image training, which an earlier job has settled."""
        lengths = [Path(name) for name in inputs if name.startswith("lengths/") and name.endswith(".json")]
        with contextlib.suppress(OSError, ValueError, KeyError):
            return int(json.loads(lengths[0].read_text(encoding="utf-8"))["updates"]) if lengths else None
        return None

    def look(self) -> None:
        """Read what was added to the files since the last look."""
        for follower in self.followers:
            for line in follower.lines():
                if (update := parse(line)) and update[0] == "train_inner" and "num_updates" in update[1]:
                    self._count(int(update[1]["num_updates"]), self.total, "updates")
                    self.note = f"loss {update[1].get('loss', float('nan')):.3f}"
                elif line.startswith("S-"):
                    self.done, self.unit = self.done + 1, "sentences"
                elif found := DISTILLED.search(line):
                    self._count(int(found[1]), int(found[2]), "sentences")
                elif self.total is None and line.strip() and line[:2] not in ("H-", "D-", "P-", "T-"):
                    self.note = line.rsplit("\r", 1)[-1].strip()[:100]

    def _count(self, done: int, total: int | None, unit: str) -> None:
        self.done, self.total, self.unit = done, total, unit
        if self.first is None:  # what an earlier run has done took no time in this one
            self.first = (done, time.monotonic())

    def text(self) -> str:
        """``120/1500 updates, loss 4.321, 2 min 10 s left``."""
        if not self.done:
            return self.note
        parts = [f"{self.done}{f'/{self.total}' if self.total else ''} {self.unit}"]
        parts += [self.note] if self.note and self.unit == "updates" else []
        if self.total and self.first and self.done > self.first[0]:
            speed = (self.done - self.first[0]) / max(1e-9, time.monotonic() - self.first[1])
            parts.append(f"{duration((self.total - self.done) / speed)} left")
        return ", ".join(parts)


class LogHandler(LogHandlerBase):
    """Shows jobs; everything else that Snakemake says stays in ``.snakemake/log``, but for errors and warnings."""

    writes_to_stream = True
    writes_to_file = False
    has_filter = True
    has_formatter = True
    needs_rulegraph = False

    def __post_init__(self) -> None:
        self.jobs: dict[int, Job] = {}
        self.failed: set[int] = set()
        self.running, self.stopped = threading.Lock(), threading.Event()
        self.done, self.total, self.live = 0, 0, None
        self.explains = self.common_settings.dryrun
        if not self.explains:
            self._open()

    def _open(self) -> None:
        if sys.stderr.isatty():
            from rich.console import Console, Group
            from rich.live import Live

            console = Console(stderr=True, highlight=False)
            self.live = Live(Group(), console=console, transient=True, auto_refresh=False)
            self.live.start()
        threading.Thread(target=self._watch, daemon=True).start()

    def emit(self, record: Any) -> None:
        """One event of Snakemake, in the thread that hands them out."""
        event = getattr(record, "event", None)
        if self.explains:
            self._explain(record, event)
        elif event == LogEvent.RUN_INFO:
            self.total = record.stats["total"] - record.stats.get("all", 0)
        elif event == LogEvent.JOB_INFO and record.rule_name != "all":
            with self.running:
                self.jobs[record.jobid] = Job(record)
        elif event == LogEvent.JOB_FINISHED and (job := self._pop(record.job_id)):
            self.done += 1
            self.say(f"[{self.done}/{self.total}] {job.label}: done in {duration(time.monotonic() - job.start)}")
        elif event == LogEvent.JOB_ERROR:
            self._fail(record)
        elif event in (None, LogEvent.ERROR) and record.levelname in ("WARNING", "ERROR", "CRITICAL"):
            self._complain(str(record.msg))

    def _explain(self, record: Any, event: LogEvent | None) -> None:
        if event == LogEvent.JOB_INFO:
            reason = PARAMS.sub(lambda m: changed_words(m[1].strip('"'), m[2].strip('" ')), str(record.reason))
            self.say(f"{record.rule_msg or record.rule_name}\n  because: {reason}")
            if record.shellcmd and self.common_settings.printshellcmds:
                self.say(f"  $ {record.shellcmd}")
        elif event in (None, LogEvent.RUN_INFO, LogEvent.ERROR) and record.levelname != "DEBUG":
            self.say(str(record.msg))

    def _pop(self, number: int) -> Job | None:
        with self.running:
            return self.jobs.pop(number, None)

    def _fail(self, record: Any) -> None:
        job = self._pop(record.jobid)
        if job is None and record.jobid in self.failed:
            return  # Snakemake reports each failure again at the end
        self.failed.add(record.jobid)
        label, why = job.label if job else record.rule_name, record.rule_msg or ""  # of an executor, if not the rule's
        logs = [Path(name) for name in record.log if Path(name).is_file() and Path(name).stat().st_size]
        lines = [f"{label}: failed (rule {record.rule_name})" + (f"; the end of {logs[0].absolute()}:" if logs else "")]
        if why and not why.startswith(f"{label}: "):
            lines += [f"  {line}" for line in why.splitlines()[:4]]
        lines += [f"  | {line}" for log in logs[:1] for line in tail(log, TAIL)]
        self.say("\n".join(lines))

    def _complain(self, text: str) -> None:
        """Snakemake's own words, but for what :meth:`_fail` has said."""
        noise = ("RuleException", "Exiting because a job", "Removing output files", "At least one job", "Error in rule")
        if not any(word in text for word in noise) and not text.startswith("WorkflowError:\nAt least"):
            self.say(text)

    def _watch(self) -> None:
        while not self.stopped.wait(LOOK):
            with self.running:
                running = list(self.jobs.values())
            for job in running:
                job.look()
                if self.live is None and time.monotonic() >= job.next_line and job.text() not in ("", job.said):
                    job.next_line, job.said = time.monotonic() + EVERY, job.text()
                    self.say(f"{job.label}: {job.said}")
            if self.live is not None:
                self.live.update(self._picture(running), refresh=True)

    def _picture(self, running: list[Job]) -> Any:
        from rich.progress_bar import ProgressBar
        from rich.table import Table

        table = Table.grid(padding=(0, 2))
        for job in running:
            bar = ProgressBar(total=job.total, completed=job.done, width=24) if job.total and job.done else ""
            table.add_row(job.label, bar, duration(time.monotonic() - job.start), job.text() or job.title)
        return table

    def say(self, text: str) -> None:
        """Lines above the bars."""
        if self.live is not None:
            self.live.console.print(text, markup=False)
        else:
            print(text, file=sys.stderr, flush=True)

    def close(self) -> None:
        """Remove the bars."""
        self.stopped.set()
        if self.live is not None:
            self.live.stop()
            self.live = None
        super().close()
