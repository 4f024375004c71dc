"""Stages and the record of which are done.

A stage's fingerprint is a hash of what it does and of its inputs' fingerprints. ``RUN/stages/NAME.json`` has
the fingerprint under which it finished, ``NAME.started.json`` the one under which it began: with the same, a
stage that was stopped finds its folder as it left it and continues; with another it finds it empty.
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
        title: what the user reads.
        spec: all that decides the result, besides the inputs; anything that JSON can hold.
        inputs: stages that must be done before.
        outputs: files and folders it writes, and nobody else; removed before a fresh start.
        cores: how many of the run's cores it keeps busy.
        work: does it; called with the job (see ``jobs``).
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
        for stage in stages:  # a stage comes after its inputs
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
        """Make the stage's folder ready. Returns True when it continues something unfinished."""
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
        """Remember that the stage is done."""
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
        """How long the stage took when it finished; 0 when it has not."""
        return _read(self._record(name)).get("seconds", 0.0)


def _read(path: Path) -> dict:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
