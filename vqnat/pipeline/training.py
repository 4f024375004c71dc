"""One training: its command, its progress, and its last checkpoint if it was killed while writing it."""

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
        # for fairseq's tasks: skip no batch, no buffer thread that aborts the process at exit
        *("--required-batch-size-multiple", "1", "--data-buffer-size", "0"),
    ]


def validation_arguments(text: str) -> list[str]:
    """Distilled text has a distilled validation set too; checkpoint_best.pt is by the raw one, which comes first.

    fairseq would report the second set as unused, since it compares ``valid1.en-de.en`` with ``valid1``.
    """
    return [] if text == "raw" else ["--valid-subset", "valid,valid1", "--ignore-unused-valid-subsets"]


def device_arguments(config: Config) -> list[str]:
    """The options of every fairseq command that choose the device."""
    return ["--cpu"] if config.device == "cpu" else []


def average_command(count: int, folder: Path, output: Path) -> list[str]:
    """Average the newest checkpoints of ``--save-interval-updates``, or of epochs if there are too few of those.

    fairseq writes no update checkpoint at the end of an epoch, so a small corpus may have none.
    """
    kind = "update" if len(list(folder.glob("checkpoint_*_*.pt"))) >= count else "epoch"
    return [
        *(sys.executable, "-m", "vqnat.commands.average", "--inputs", str(folder)),
        *(f"--num-{kind}-checkpoints", str(count), "--output", str(output)),
    ]


def run_training(job: Job, command: list[str], folder: Path, training: Training) -> None:
    """Train to the last update, showing the progress."""
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
    """Replace a half-written ``checkpoint_last.pt`` with the newest complete checkpoint.

    fairseq writes a checkpoint under another name and renames it, but then copies it to ``checkpoint_last.pt`` in
    place: killed at that moment, it could not start again. A checkpoint is a zip file and ends with its index.
    """
    last = folder / "checkpoint_last.pt"
    if not last.exists() or zipfile.is_zipfile(last):
        return
    others = [path for path in folder.glob("checkpoint*.pt") if path != last and zipfile.is_zipfile(path)]
    last.unlink()
    if others:
        shutil.copyfile(max(others, key=lambda path: path.stat().st_mtime), last)
