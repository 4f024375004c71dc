"""The rows of a table as pipeline stages: data; training, prior and measurement of each row; results."""

import json
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from vqnat.errors import UserError
from vqnat.image.datasets.split_files import SPLITS, read_header, split_file
from vqnat.image.tables import budget as budgets
from vqnat.image.tables.table_config import Config, Row, Table
from vqnat.image.tables.validation_figures import read_figures, validate_command
from vqnat.pipeline.config import Training
from vqnat.pipeline.jobs import Job
from vqnat.pipeline.program_options import arguments
from vqnat.pipeline.stages import Stage
from vqnat.pipeline.training import run_training
from vqnat.records.results import provenance, write_json
from vqnat.records.training_logs import wall_seconds

IMAGES, PRIOR = "image_vqvae", "image_latent_transformer"  # tasks
COMMON = {
    "no-epoch-checkpoints": True,
    "disable-validation": True,  # the last checkpoint is measured: none is selected by the reported figures
    "save-interval-updates": 200,
    "keep-interval-updates": 1,
    "num-workers": 0,
}


class Plan:
    """The stages of a run and where they write.

    Args:
        config: the parsed YAML file.
        run: folder for all output.
        source: ``--from`` of the data preparation, or None.
        budget: minutes of training, prior included, for a table's first row, times the table's ``budget_times``; all
            rows make the same number of updates. None means full size.
        rows: names of the rows to run; empty for all.

    Raises:
        UserError: an unknown row, or an impossible budget.
    """

    def __init__(self, config: Config, run: Path, source: Path | None, budget: float | None, rows: Sequence[str]):
        if budget is not None and budget <= 0:
            raise UserError(f"--budget {budget:g} is not possible; valid: more than 0 minutes")
        known = [row.name for table in config.tables.values() for row in table.rows]
        for name in rows:
            if name not in known:
                raise UserError(f"--rows {name}: no such row; must be one of {', '.join(known)}")
        self.config, self.run, self.budget = config, run, budget
        self.data, self.results = run / "data", run / "results.json"
        prepare = [sys.executable, *config.prepare, "--out", str(self.data)]
        prepare += ["--from", str(source)] if source else []
        self.stages = [
            Stage("data", "images", prepare, [], [self.data], lambda job: job.child(prepare)),
        ]
        self.chosen = [
            (key, table, row)
            for key, table in config.tables.items()
            for row in table.rows
            if not rows or row.name in rows
        ]
        for key, table, row in self.chosen:
            self._add_row(key, table, row)
        measured = [f"measure_{key}_{row.name}" for key, _, row in self.chosen]
        spec = [[key, row.name, row.title, row.paper, table.columns] for key, table, row in self.chosen]
        self.stages.append(Stage("results", "results", spec, measured, [self.results], self._write_results))

    def _device(self) -> list[str]:
        return ["--cpu"] if self.config.device == "cpu" else []

    def _options(self, table: Table, row: Row) -> dict:
        if not self.budget:
            return {**COMMON, **table.options, **row.options}
        return {**COMMON, **table.options, **table.budget_options, **row.options, **row.budget_options}

    def _prior_options(self, key: str, table: Table, row: Row) -> dict:
        small = table.budget_prior if self.budget else {}
        vqvae = self.run / f"train_{key}_{row.name}" / "checkpoint_last.pt"
        return {**COMMON, **table.prior, **small, "vqvae": str(vqvae)}

    def _add_length(
        self, name: str, title: str, inputs: list[str], task: str, options: dict, epochs: int, minutes: float | None
    ) -> None:
        """Add the stage that decides how many updates all trainings of a kind make, timed on the first row."""
        if any(stage.name == name for stage in self.stages):
            return
        output = self.run / "lengths" / f"{name}.json"
        spec = [task, {k: v for k, v in options.items() if k != "vqvae"}, epochs, minutes, self.config.device]
        work = partial(self._settle, task=task, options=options, epochs=epochs, minutes=minutes, output=output)
        self.stages.append(Stage(name, title, spec, inputs, [output], work))

    def _add_row(self, key: str, table: Table, row: Row) -> None:
        label = f"{key}_{row.name}"
        minutes = self.budget and self.budget * table.budget_times / (2 if table.prior else 1)
        length, title = f"length_{key}", f"{table.title}: length"
        first = self._options(table, table.rows[0])
        self._add_length(length, title, ["data"], IMAGES, first, table.epochs, minutes)
        last = f"train_{label}"
        self._add_training(last, row.title, ["data"], IMAGES, self._options(table, row), length)
        with_prior = bool(table.prior) and row.prior
        if with_prior:
            length, title = f"length_{key}_prior", f"{table.title}: length of the priors"
            options, inputs = self._prior_options(key, table, row), ["data", last]
            self._add_length(length, title, inputs, PRIOR, options, table.prior_epochs, minutes)
            last = f"prior_{label}"
            self._add_training(last, f"{row.title}: prior", inputs, PRIOR, options, length)
        output = self.run / "figures" / f"{label}.json"
        work = partial(self._measure, key=key, name=row.name, with_prior=with_prior, output=output)
        inputs = ["data", f"train_{label}", *([last] if with_prior else [])]
        self.stages.append(Stage(f"measure_{label}", f"{row.title}: test set", with_prior, inputs, [output], work))

    def _add_training(self, name: str, title: str, inputs: list[str], task: str, options: dict, length: str) -> None:
        folder = self.run / name
        spec = [task, options, self.config.seed, self.config.device]
        work = partial(self._train, task=task, options=options, length=length, folder=folder)
        self.stages.append(Stage(name, title, spec, [*inputs, length], [folder], work))

    def _command(self, task: str, options: dict, updates: int, folder: Path) -> list[str]:
        return [
            *(sys.executable, "-m", "fairseq_cli.train", str(self.data), "--user-dir", "vqnat/image", "--task", task),
            *arguments(budgets.fill_updates(options, updates)),
            *("--max-update", str(updates), "--seed", str(self.config.seed), "--save-dir", str(folder)),
            *("--log-format", "json", *self._device()),
        ]

    def _settle(self, job: Job, task: str, options: dict, epochs: int, minutes: float | None, output: Path) -> None:
        updates = budgets.full_updates(read_header(self.data, "train")["count"], options["batch-size"], epochs)
        seconds = None
        if minutes is not None:
            seconds = self._seconds_per_update(job, task, options, output.with_suffix(""))
            updates = budgets.updates_within(minutes, seconds, updates)
        write_json(output, {"updates": updates, "seconds_per_update": seconds})

    def _updates(self, length: str) -> int:
        return json.loads((self.run / "lengths" / f"{length}.json").read_text(encoding="utf-8"))["updates"]

    def _train(self, job: Job, task: str, options: dict, length: str, folder: Path) -> None:
        updates = self._updates(length)
        run_training(job, self._command(task, options, updates, folder), folder, Training(updates=updates))

    def _seconds_per_update(self, job: Job, task: str, options: dict, folder: Path) -> float:
        """Time a few updates, with the codebook started right away if it starts from data."""
        quick = {**options, "log-interval": 1, "no-save": True}
        if "codebook-start-updates" in quick:
            quick["codebook-start-updates"] = 2
        job.child(self._command(task, quick, budgets.TRIAL, folder))
        return budgets.seconds_per_update(job.log)

    def _measure(self, job: Job, key: str, name: str, with_prior: bool, output: Path) -> None:
        figures = {}
        for kind, task in (("train", IMAGES), ("prior", PRIOR))[: 1 + with_prior]:
            stage = f"{kind}_{key}_{name}"
            checkpoint = self.run / stage / "checkpoint_last.pt"
            job.child(validate_command(self.data, checkpoint, task, 50, self._device()))
            # Figures that only the prior reports, such as bits per dimension, are added to the VQ-VAE's.
            found = read_figures(job.log)
            figures = {**found, **figures}
            figures[f"{kind}_updates"] = self._updates(f"length_{key}" + ("_prior" if kind == "prior" else ""))
            figures[f"{kind}_seconds"] = wall_seconds(self.run / "logs" / f"{stage}.log")
        write_json(output, figures)

    def _write_results(self, _: Job) -> None:
        counts = {split: read_header(self.data, split)["count"] for split in SPLITS}
        tables = {}
        for key, table, row in self.chosen:
            figures = json.loads((self.run / "figures" / f"{key}_{row.name}.json").read_text(encoding="utf-8"))
            batch = self._options(table, row)["batch-size"]
            entry = {"name": row.name, "title": row.title, "paper": row.paper, "figures": figures}
            entry["epochs"] = round(figures["train_updates"] * batch / counts["train"], 2)
            about = {"title": table.title, "source": table.source, "columns": table.columns, "epochs": table.epochs}
            if self.budget:
                about["budget_minutes"] = self.budget * table.budget_times
                about["budget_options"] = {"": table.budget_options, "prior ": table.budget_prior}
            tables.setdefault(key, {**about, "rows": []})["rows"].append(entry)
        header = read_header(self.data, "train")
        about = {"name": self.config.name, "data_source": header["source"], "images": counts, "shape": header["shape"]}
        files = [split_file(self.data, split) for split in SPLITS]
        inputs = {path.name: path for path in files}
        write_json(self.results, about | provenance(self.config.seed, inputs) | {"tables": tables})
