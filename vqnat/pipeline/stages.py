"""Stages, and the record of which are done.

A stage's fingerprint is a hash of what it does and of its inputs' fingerprints. ``RUN/stages/NAME.json`` holds the
fingerprint with which it finished, ``NAME.started.json`` that with which it started: if it is unchanged, a stage that
was stopped continues in its folder as it is; otherwise it starts in an empty folder.
"""

import hashlib
import json
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vqnat.records.results import write_json


@dataclass(frozen=True)
class Stage:
    """One step of the pipeline.

    Args:
        name: unique; also the name of its log.
        title: shown to the user.
        spec: everything besides the inputs that determines the result; anything that JSON can hold.
        inputs: stages that must be done first.
        outputs: files and folders that only this stage writes; removed before a fresh start.
        cores: how many of the run's cores it uses.
        work: does the work; called with a :class:`vqnat.pipeline.jobs.Job`.
    """

    name: str
    title: str
    spec: Any
    inputs: Sequence[str]
    outputs: Sequence[Path]
    work: Callable[[Any], None] = field(compare=False)
    cores: int = 1


class Store:
    """The records under ``RUN/stages``."""

    def __init__(self, run: Path, stages: Sequence[Stage]) -> None:
        self.run = run
        self.folder = run / "stages"
        self.stages = {stage.name: stage for stage in stages}
        self.fingerprints: dict[str, str] = {}
        for stage in stages:  # every stage comes after its inputs
            inputs = [self.fingerprints[name] for name in stage.inputs]
            spec = json.dumps(stage.spec, sort_keys=True)
            # The same run in another folder, or with another .venv, is still the same run.
            spec = spec.replace(str(run), "RUN").replace(sys.executable, "python")
            self.fingerprints[stage.name] = hashlib.sha256(json.dumps([spec, inputs]).encode()).hexdigest()[:16]

    def _record(self, name: str) -> Path:
        return self.folder / f"{name}.json"

    def _started(self, name: str) -> Path:
        return self.folder / f"{name}.started.json"

    def log(self, name: str) -> Path:
        """Where the stage's programs write."""
        return self.run / "logs" / f"{name}.log"

    def to_do(self, again: Sequence[str] = ()) -> list[Stage]:
        """The stages to run, in order, ``again`` among them; their records are removed."""
        stale: list[Stage] = []
        names: set[str] = set()
        for stage in self.stages.values():
            record = _read(self._record(stage.name))
            same = record.get("fingerprint") == self.fingerprints[stage.name]
            whole = same and all(output.exists() for output in stage.outputs)
            fresh_inputs = not names.isdisjoint(stage.inputs)
            if whole and not fresh_inputs and stage.name not in again:
                continue
            stale.append(stage)
            names.add(stage.name)
            if same or fresh_inputs:
                self._started(stage.name).unlink(missing_ok=True)
            self._record(stage.name).unlink(missing_ok=True)
        return stale

    def begin(self, stage: Stage) -> bool:
        """Prepare the stage's folder. Returns True if it continues an unfinished run."""
        fingerprint = self.fingerprints[stage.name]
        started = self._started(stage.name)
        if _read(started).get("fingerprint") == fingerprint:
            return True
        for path in [*stage.outputs, self.log(stage.name)]:
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
        write_json(started, {"fingerprint": fingerprint})
        return False

    def finish(self, stage: Stage, seconds: float) -> None:
        """Record that the stage is done."""
        record = {
            "fingerprint": self.fingerprints[stage.name],
            "seconds": round(seconds, 1),
            "finished": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
            "spec": stage.spec,
            "inputs": list(stage.inputs),
        }
        write_json(self._record(stage.name), record)
        self._started(stage.name).unlink(missing_ok=True)

    def seconds(self, name: str) -> float:
        """Seconds that the finished stage took; 0 if it is not finished."""
        return _read(self._record(name)).get("seconds", 0.0)


def _read(path: Path) -> dict:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
