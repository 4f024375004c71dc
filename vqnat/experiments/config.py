"""What the YAML file of an experiment may say. ``examples/quickstart/config.yaml`` has a comment per key."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from vqnat.errors import UserError
from vqnat.experiments.program_options import check_options, placeholders
from vqnat.experiments.schema import check, invalid, load_checked


@dataclass(frozen=True, kw_only=True)
class Data:
    """Where the raw text comes from."""

    kind: str
    train: int = 20000
    valid: int = 500
    test: int = 500
    more: int = 0  # embedded sources without translations, in raw/more.en
    seed: int = 1
    path: str = ""
    tokenised: bool = False  # tokenized already, so BLEU does not tokenize
    note: str = ""  # printed below every table
    prepare: list[str] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Training:
    """One model to train; ``options`` are those of fairseq-train."""

    updates: int
    text: str = "raw"
    threads: int = 1
    processes: int = 1  # on each of its nodes; on device cuda each has a GPU
    nodes: int = 1
    average: int = 0
    options: dict = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Distillation:
    """How the teacher translates the training text; ``options`` are those of ``vqnat distill``."""

    teacher: str = "teacher"
    source_text: str = ""  # for text: distilled_extra; {raw} is the folder of the raw text
    jobs: int = 1
    per_seed: bool = False  # with seeds: a teacher and its translations for each
    options: dict = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class System:
    """One row of the table: a trained model, and how it decodes (options of fairseq-generate).

    ``reranker`` is the training that chooses among the candidates of one of fairseq's own models, which the latency
    benchmark cannot time: such a row has no latency.
    """

    name: str
    training: str
    decoding: dict = field(default_factory=dict)
    reranker: str = ""
    paper: dict = field(default_factory=dict)  # published figures: bleu, speedup over beam 4
    full_only: bool = False


@dataclass(frozen=True, kw_only=True)
class Latency:
    """What ``vqnat latency`` measures."""

    baseline: str = "teacher_beam4"
    greedy: str = "teacher_greedy"
    sentences: int = 100
    min_target_words: int = 0
    repeats: int = 3
    threads: int = 1


@dataclass(frozen=True, kw_only=True)
class Config:
    """The whole file, and what the command line overrides in it."""

    name: str
    data: Data
    vocabulary: int
    trainings: dict[str, Training]
    systems: list[System]
    source: str = "en"
    target: str = "de"
    seed: int = 1
    seeds: list[int] = field(default_factory=list)
    cores: int = 2
    device: str = "cpu"
    common: dict = field(default_factory=dict)
    distillation: Distillation = field(default_factory=Distillation)
    latency: Latency = field(default_factory=Latency)
    samples: int = 10
    folder: str = ""  # with the raw data, instead of the configuration's

    def options(self, training: str) -> dict:
        """Options of fairseq-train for this model: the common ones, overridden by its own."""
        return {**self.common, **self.trainings[training].options}

    def starts(self, training: str) -> list[str]:
        """The trainings that this one starts from, as in ``encoder-from: "{teacher}"``."""
        return sorted(placeholders(self.options(training)))

    def loads(self, system: System) -> list[str]:
        """The trainings whose checkpoints a system loads."""
        return sorted(
            {system.training, *placeholders(system.decoding)} | ({system.reranker} if system.reranker else set())
        )


def load(path: Path, overrides: Mapping[str, Any] | None = None) -> Config:
    """Read and check ``path``.

    Args:
        path: the YAML file.
        overrides: values of its keys that count instead: ``seed``, ``full``, ``only`` and so on.

    Raises:
        UserError: a mistake; the message names the file.
    """
    return load_checked(path, overrides, configure)


def configure(content: Any) -> Config:
    """The parsed YAML as a checked configuration with the systems of this run. Raises UserError."""
    check(content, "experiment")
    wanted = {key: content[key] for key in ("full", "only", "reverse", "from") if key in content}
    rest = {key: value for key, value in content.items() if key not in wanted}
    parts = {
        "data": Data(**rest["data"]),
        "trainings": {name: Training(**given) for name, given in rest["trainings"].items()},
        "distillation": Distillation(**rest.get("distillation", {})),
        "systems": [System(**given) for given in rest["systems"]],
        "latency": Latency(**rest.get("latency", {})),
    }
    config = Config(**rest | parts, folder=wanted.get("from", ""))
    _check_trainings(config)
    _check_systems(config)
    if config.folder and config.data.kind == "embedded":
        raise UserError(f"from: {config.folder}: data.kind is embedded, which makes its own text")
    if wanted.get("reverse"):
        config = replace(config, source=config.target, target=config.source)
    return replace(config, systems=_chosen(config, wanted.get("full", False), wanted.get("only")))


def _chosen(config: Config, full: bool, only: Sequence[str] | None) -> list[System]:
    """The systems of this run: with ``only``, those and the baselines of speed-ups."""
    if only is None:
        return [system for system in config.systems if full or not system.full_only]
    known = [system.name for system in config.systems]
    for name in only:
        if name not in known:
            raise UserError(f"only: {name}: no such system; must be one of {', '.join(known)}")
    return [s for s in config.systems if s.name in {*only, config.latency.baseline, config.latency.greedy}]


def _check_trainings(config: Config) -> None:
    check_options("common", config.common)
    check_options("distillation.options", config.distillation.options)
    before = {config.distillation.teacher}  # which is trained first, wherever it is listed
    for name, training in config.trainings.items():
        check_options(f"trainings.{name}.options", training.options)
        for other in placeholders(config.options(name)):
            _check_choice(f"trainings.{name}.options: the name in braces", other, sorted(before - {name}))
        before.add(name)
        for wanted in ("task", "arch"):
            if not isinstance(config.options(name).get(wanted), str):
                raise UserError(f"trainings.{name}.options.{wanted}: missing")
        _check_average(f"trainings.{name}.average", training.average, config.options(name))
    teacher = config.distillation.teacher
    _check_choice("distillation.teacher", teacher, config.trainings)
    if config.trainings[teacher].text != "raw":
        raise invalid(f"trainings.{teacher}.text", config.trainings[teacher].text, "raw, as it is the teacher")
    if not config.distillation.source_text:
        for name, training in config.trainings.items():
            if training.text == "distilled_extra":
                raise UserError(f"distillation.source_text: missing; trainings.{name}.text is 'distilled_extra'")
    if config.data.kind == "prepare" and not config.data.prepare:
        raise UserError("data.prepare: missing; a command, in which {raw} is the folder to fill")


def _check_average(where: str, average: int, options: dict) -> None:
    """Raise UserError if checkpoints to average would be deleted during training."""
    for limit in ("keep-interval-updates", "keep-last-epochs"):
        kept = options.get(limit)
        if isinstance(kept, int) and 0 < kept < average:
            raise invalid(where, average, f"at most {limit}, which is {kept}")


def _check_systems(config: Config) -> None:
    names = [system.name for system in config.systems]
    for n, system in enumerate(config.systems):
        where = f"systems[{n}]"
        if names.count(system.name) > 1:
            raise UserError(f"{where}.name: {system.name!r} is there twice")
        _check_choice(f"{where}.training", system.training, config.trainings)
        check_options(f"{where}.decoding", system.decoding)
        if system.reranker:
            _check_choice(f"{where}.reranker", system.reranker, config.trainings)
        for name in placeholders(system.decoding):
            _check_choice(f"{where}.decoding: the name in braces", name, config.trainings)
    always = [system.name for system in config.systems if not system.full_only]
    _check_choice("latency.baseline", config.latency.baseline, always)
    _check_choice("latency.greedy", config.latency.greedy, always)


def _check_choice(where: str, name: str, valid: Iterable[str]) -> None:
    if name not in valid:
        raise invalid(where, name, f"one of {', '.join(valid)}")
