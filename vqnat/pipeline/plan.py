"""From a configuration to the stages of its run."""

import shutil
import sys
from pathlib import Path
from typing import Any

from vqnat.errors import UserError
from vqnat.pipeline import training as trainings
from vqnat.pipeline.config import Config, System
from vqnat.pipeline.jobs import Job
from vqnat.pipeline.latency import latency_command
from vqnat.pipeline.program_options import arguments, fill, placeholders
from vqnat.pipeline.results import collect
from vqnat.pipeline.scores import right_rate, score
from vqnat.pipeline.stages import Stage
from vqnat.pipeline.translate import generate_command, read_hypotheses, read_lines, sentence_counter, write_lines
from vqnat.records.results import write_json
from vqnat.reporting.html_report import write_report

DISTILL = {"distilled": "distill", "distilled_extra": "distill_extra"}  # text -> stage


class Plan:
    """The stages of one run, in an order in which every stage comes after its inputs.

    Args:
        config: the checked YAML.
        run: the run's folder, absolute.
        full: also the systems with ``full_only``.
        source: the folder given by ``--from``, if any.
    """

    def __init__(self, config: Config, run: Path, full: bool = False, source: Path | None = None) -> None:
        self.config, self.run, self.source = config, run, source
        self.systems = config.chosen(full)
        self.raw, self.prep = run / "raw", run / "prep"
        self.results, self.report = run / "results.json", run / "report.html"
        self.stages: list[Stage] = []
        self._corpus()
        self._models()
        for system in self.systems:
            self._translate(system)
        self._latency()
        self._results()

    def checkpoint(self, name: str) -> Path:
        """The checkpoint of a training that its systems load."""
        folder = self.run / "models" / name
        if self.config.trainings[name].average:
            return self.run / "averaged" / f"{name}.pt"
        return folder / "checkpoint_best.pt"

    def _checkpoint_stage(self, name: str) -> str:
        return f"average_{name}" if self.config.trainings[name].average else f"train_{name}"

    def _decoding(self, system: System) -> dict:
        return fill(system.decoding, {name: self.checkpoint(name) for name in self.config.trainings})

    def _needed(self, system: System) -> list[str]:
        """The stages whose checkpoints a system loads."""
        return [self._checkpoint_stage(name) for name in [system.training, *sorted(placeholders(system.decoding))]]

    def _add(self, name: str, title: str, spec: Any, inputs: list[str], outputs: list[Path], **rest: Any) -> None:
        self.stages.append(Stage(name, title, spec, inputs, outputs, **rest))

    def _program(
        self,
        name: str,
        title: str,
        command: list[str],
        inputs: list[str],
        outputs: list[Path],
        cores: int = 1,
    ) -> None:
        """A stage that is one program."""
        self._add(name, title, command, inputs, outputs, work=lambda job: job.child(command), cores=cores)

    def _corpus(self) -> None:
        config, data, python = self.config, self.config.data, sys.executable
        files = [self.raw / f"{s}.{x}" for s in ("train", "valid", "test") for x in (config.source, config.target)]
        if data.kind == "embedded":
            sizes = [word for s in ("train", "valid", "test") for word in (f"--{s}", str(getattr(data, s)))]
            command = [python, "-m", "vqnat.embedded", "--out", str(self.raw), "--seed", str(data.seed), *sizes]
            title = f"writing {data.train} pairs"
            self._program("corpus", title, command, [], [self.raw])
        elif data.kind == "prepare":
            command = [word.replace("{raw}", str(self.raw)) for word in data.prepare]
            command += ["--from", str(self.source)] if self.source else []
            self._program("corpus", "preparing the text", command, [], [self.raw])
        else:
            folder = self.source or Path(data.path)
            missing = [file.name for file in files if not (folder / file.name).is_file()]
            if missing:
                where = "--from" if self.source else "data.path"
                raise UserError(f"{where}: {str(folder)!r} is not valid; it lacks {', '.join(missing)}")

            def copy(job: Job) -> None:
                self.raw.mkdir(parents=True, exist_ok=True)
                for file in files:
                    shutil.copyfile(folder / file.name, file)

            stats = {file.name: (folder / file.name).stat() for file in files}
            spec = {name: [stat.st_size, stat.st_mtime_ns] for name, stat in stats.items()}
            self._add("corpus", f"copying {folder}", spec, [], [self.raw], work=copy)

        command = [
            *(python, "-m", "vqnat.data.binarize", "--raw", str(self.raw), "--out", str(self.prep)),
            *("--vocabulary", str(config.vocabulary), "--source", config.source, "--target", config.target),
        ]
        title = f"joint vocabulary of {config.vocabulary} subwords"
        self._program("binarize", title, command, ["corpus"], [self.prep], config.cores)

    def _models(self) -> None:
        config = self.config
        used = {name for s in self.systems for name in [s.training, *placeholders(s.decoding)]}
        for name in reversed(config.trainings):  # a training starts from those before it
            if name in used:
                used |= placeholders(config.options(name))
        texts = sorted({config.trainings[name].text for name in used} - {"raw"})
        if texts:
            used.add(config.distillation.teacher)
        teacher = config.distillation.teacher
        for name in sorted(used, key=lambda n: (n != teacher, list(config.trainings).index(n))):
            self._train(name)
            if name == teacher:
                for text in texts:
                    self._distill(text)

    def _train(self, name: str) -> None:
        config, training = self.config, self.config.trainings[name]
        folder = self.run / "models" / name
        data = self.prep / "bin" if training.text == "raw" else self.run / training.text
        options = config.options(name)
        started_from = sorted(placeholders(options))  # as in encoder-from: "{teacher}"
        options = fill(options, {other: self.checkpoint(other) for other in started_from})
        command = trainings.train_command(config, name, options, data, folder)

        def work(job: Job) -> None:
            trainings.run_training(job, command, folder, training)

        title = f"training, {training.updates} updates on {training.text.replace('_', ' + ')} text"
        inputs = ["binarize" if training.text == "raw" else DISTILL[training.text]]
        inputs += [self._checkpoint_stage(other) for other in started_from]
        self._add(f"train_{name}", title, command, inputs, [folder], work=work, cores=training.threads)
        if training.average:
            self._average(name, folder)

    def _average(self, name: str, folder: Path) -> None:
        training, output = self.config.trainings[name], self.checkpoint(name)

        def work(job: Job) -> None:
            output.parent.mkdir(parents=True, exist_ok=True)
            job.child(trainings.average_command(training.average, folder, output))

        title = f"the mean of the last {training.average} checkpoints"
        self._add(f"average_{name}", title, training.average, [f"train_{name}"], [output], work=work)

    def _distill(self, text: str) -> None:
        wanted, out = self.config.distillation, self.run / text
        extra = wanted.source_text.replace("{raw}", str(self.raw)) if text == "distilled_extra" else ""
        command = [
            *(sys.executable, "-m", "vqnat.commands.distill", str(self.prep / "bin")),
            *("--path", str(self.checkpoint(wanted.teacher)), "--out", str(out), "--valid-too"),
            *(("--source-text", extra) if extra else ()),
            *("--jobs", str(wanted.jobs), *arguments(wanted.options), *trainings.device_arguments(self.config)),
        ]
        inputs = ["binarize", self._checkpoint_stage(wanted.teacher)]
        title = "the teacher translates the training text" + (f" and {Path(extra).name}" if extra else "")

        def work(job: Job) -> None:
            job.child(command, threads=1)

        self._add(DISTILL[text], title, command, inputs, [out], work=work, cores=wanted.jobs)

    def _translate(self, system: System) -> None:
        config, checkpoint = self.config, self.checkpoint(system.training)
        command = generate_command(config, system, self.prep / "bin", checkpoint, self._decoding(system))
        output = self.run / "outputs" / f"{system.name}.{config.target}"
        scores = self.run / "scores" / f"{system.name}.json"
        tokenized = config.data.tokenised

        def work(job: Job) -> None:
            job.log.unlink(missing_ok=True)  # no lines of an earlier try
            sources = read_lines(self.raw / f"test.{config.source}")
            job.child(command, poll=sentence_counter(job.log, len(sources), job.task.note))
            references = read_lines(self.raw / f"test.{config.target}")
            with job.log.open(encoding="utf-8") as lines:
                outputs = read_hypotheses(lines, len(sources), self.prep / "spm.model")
            write_lines(output, outputs)
            write_json(
                scores, score(sources, outputs, references, config.target, right_rate(config.data.kind), tokenized)
            )

        inputs = ["binarize", *self._needed(system)]
        self._add(
            f"translate_{system.name}", "the test set", [command, 1 + tokenized], inputs, [output, scores], work=work
        )

    def _latency(self) -> None:
        systems = [(s, self.checkpoint(s.training), self._decoding(s)) for s in self.systems]
        output = self.run / "latency.json"
        outputs = [output, output.with_suffix(".png")]
        command = latency_command(self.config, systems, self.prep / "bin", output)
        inputs = ["binarize", *sorted({name for s in self.systems for name in self._needed(s)})]
        title = f"one sentence at a time, {len(systems)} systems in turn"

        def work(job: Job) -> None:
            job.child(command, threads=self.config.latency.threads)

        # All cores, so that nothing else runs: it would disturb the measurement.
        self._add("latency", title, command, inputs, outputs, work=work, cores=self.config.cores)

    def _results(self) -> None:
        inputs = [f"translate_{system.name}" for system in self.systems] + ["latency"]
        spec = [system.name for system in self.systems] + [self.config.samples, self.config.data.note]

        def gather(job: Job) -> None:
            write_json(self.results, collect(self.config, self.systems, self.run, self.raw))

        def render(job: Job) -> None:
            checkpoints = {system.training: self.checkpoint(system.training) for system in self.systems}
            write_report(self.results, self.run / "logs", checkpoints, self.report)

        self._add("results", "one JSON file", spec, inputs, [self.results], work=gather)
        self._add("report", "one HTML file", None, ["results"], [self.report], work=render)
