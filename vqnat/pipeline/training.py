"""The command of one training, its progress, and its checkpoint when it was stopped while writing one."""

import shutil
import sys
import zipfile
from pathlib import Path

from vqnat.pipeline.config import Config, Training
from vqnat.pipeline.jobs import Job
from vqnat.pipeline.program_options import arguments
from vqnat.records.training_logs import Follower


def train_command(config: Config, name: str, options: dict, data: Path, folder: Path) -> list[str]:
    """fairseq-train with ``options``; it continues from ``folder/checkpoint_last.pt`` by itself."""
    return [
        *(sys.executable, "-m", "fairseq_cli.train", str(data), "--user-dir", "vqnat"),
        *("--source-lang", config.source, "--target-lang", config.target),
        *validation_arguments(config.trainings[name].text),
        *arguments(options),
        *("--max-update", str(config.trainings[name].updates), "--seed", str(config.seed)),
        *("--save-dir", str(folder), "--log-format", "json", *device_arguments(config)),
        # stock tasks: no batch left out, no buffer thread that aborts the process at its end
        *("--required-batch-size-multiple", "1", "--data-buffer-size", "0"),
    ]


def validation_arguments(text: str) -> list[str]:
    """Distilled text has a distilled validation set too; checkpoint_best.pt is by the raw one, which comes first.

    fairseq believes that the second set is forgotten, as it compares ``valid1.en-de.en`` with ``valid1``.
    """
    return [] if text == "raw" else ["--valid-subset", "valid,valid1", "--ignore-unused-valid-subsets"]


def device_arguments(config: Config) -> list[str]:
    """What every fairseq command needs to know of the device."""
    return ["--cpu"] if config.device == "cpu" else []


def average_command(count: int, folder: Path, output: Path) -> list[str]:
    """The newest checkpoints of ``--save-interval-updates``; those of epochs when there are too few of them.

    fairseq writes no checkpoint of updates at the end of an epoch: a small corpus may have none.
    """
    kind = "update" if len(list(folder.glob("checkpoint_*_*.pt"))) >= count else "epoch"
    return [
        *(sys.executable, "-m", "vqnat.commands.average_checkpoints", "--inputs", str(folder)),
        *(f"--num-{kind}-checkpoints", str(count), "--output", str(output)),
    ]


def run_training(job: Job, command: list[str], folder: Path, training: Training) -> None:
    """Train to the last update, showing how far it is."""
    folder.mkdir(parents=True, exist_ok=True)
    repair_last_checkpoint(folder)
    follower = Follower(job.log)

    def poll() -> None:
        for kind, values in follower.new():
            if kind == "train_inner" and "num_updates" in values:
                loss = f"loss {values.get('loss', float('nan')):.3f}"
                job.task.count(int(values["num_updates"]), training.updates, loss)

    job.child(command, training.threads, poll)


def repair_last_checkpoint(folder: Path) -> None:
    """Put the newest whole checkpoint in the place of a half-written ``checkpoint_last.pt``.

    fairseq writes a checkpoint aside and renames it, but then copies it to ``checkpoint_last.pt`` in place:
    killed in that moment, it could not start again. A checkpoint is a zip file and ends with its index.
    """
    last = folder / "checkpoint_last.pt"
    if not last.exists() or zipfile.is_zipfile(last):
        return
    others = [path for path in folder.glob("checkpoint*.pt") if path != last and zipfile.is_zipfile(path)]
    last.unlink()
    if others:
        shutil.copyfile(max(others, key=lambda path: path.stat().st_mtime), last)
