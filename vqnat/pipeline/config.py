"""What a pipeline's YAML file may say. ``examples/quickstart/quickstart.yaml`` has a comment per key."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from vqnat.errors import UserError
from vqnat.pipeline.program_options import check_options, placeholders
from vqnat.pipeline.reader import build, invalid, read_yaml

NAME = re.compile(r"[a-z0-9][a-z0-9_]*")
ONE = {"minimum": 1}
ZERO = {"minimum": 0}
TEXTS = ("raw", "distilled", "distilled_extra")  # the last one includes distillation.source_text


@dataclass(frozen=True, kw_only=True)
class Data:
    """Where the raw text comes from."""

    kind: str = field(metadata={"choices": ("embedded", "folder", "prepare")})
    train: int = field(default=20000, metadata=ONE)
    valid: int = field(default=500, metadata=ONE)
    test: int = field(default=500, metadata=ONE)
    seed: int = field(default=1, metadata=ZERO)
    path: str = ""
    tokenised: bool = False  # tokenized already, so BLEU does not tokenize
    note: str = ""  # printed below every table
    prepare: list[str] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Training:
    """One model to train; ``options`` are those of fairseq-train."""

    updates: int = field(metadata=ONE)
    text: str = field(default="raw", metadata={"choices": TEXTS})
    threads: int = field(default=1, metadata=ONE)
    average: int = field(default=0, metadata=ZERO)
    options: dict = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Distillation:
    """How the teacher translates the training text; ``options`` are those of scripts/distill.py."""

    teacher: str = "teacher"
    source_text: str = ""  # for text: distilled_extra; {raw} is the folder of the raw text
    jobs: int = field(default=1, metadata=ONE)
    options: dict = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class System:
    """One row of the table: a trained model, and how it decodes (options of fairseq-generate)."""

    name: str
    training: str
    decoding: dict = field(default_factory=dict)
    full_only: bool = False


@dataclass(frozen=True, kw_only=True)
class Latency:
    """What scripts/benchmark_latency.py measures."""

    baseline: str = "teacher_beam4"
    greedy: str = "teacher_greedy"
    sentences: int = field(default=100, metadata=ONE)
    min_target_words: int = field(default=0, metadata=ZERO)
    repeats: int = field(default=3, metadata=ONE)
    threads: int = field(default=1, metadata=ONE)


@dataclass(frozen=True, kw_only=True)
class Config:
    """The whole file."""

    name: str
    data: Data
    vocabulary: int = field(metadata={"minimum": 32})
    trainings: dict[str, Training]
    systems: list[System]
    source: str = "en"
    target: str = "de"
    seed: int = field(default=1, metadata=ZERO)
    cores: int = field(default=2, metadata=ONE)
    device: str = field(default="cpu", metadata={"choices": ("cpu", "cuda")})
    common: dict = field(default_factory=dict)
    distillation: Distillation = field(default_factory=Distillation)
    latency: Latency = field(default_factory=Latency)
    samples: int = field(default=10, metadata=ZERO)

    def reversed(self) -> "Config":
        """The other direction of the same text."""
        return replace(self, source=self.target, target=self.source)

    def chosen(self, full: bool) -> list[System]:
        """The systems of this run."""
        return [system for system in self.systems if full or not system.full_only]

    def only(self, names: Sequence[str]) -> "Config":
        """This configuration with only the systems ``names`` and the baselines of speed-ups. Raises UserError."""
        known = [system.name for system in self.systems]
        for name in names:
            if name not in known:
                raise UserError(f"--only {name}: no such system; must be one of {', '.join(known)}")
        kept = {*names, self.latency.baseline, self.latency.greedy}
        systems = [replace(system, full_only=False) for system in self.systems if system.name in kept]
        return replace(self, systems=systems)

    def options(self, training: str) -> dict:
        """Options of fairseq-train for this model: the common ones, overridden by its own."""
        return {**self.common, **self.trainings[training].options}


def load(path: Path) -> Config:
    """Read and check ``path``. Raises UserError, which names the file."""
    try:
        config = build(Config, read_yaml(path))
        _check_trainings(config)
        _check_systems(config)
    except UserError as error:
        raise UserError(f"{path}: {error}") from None
    return config


def _check_trainings(config: Config) -> None:
    check_options("common", config.common)
    check_options("distillation.options", config.distillation.options)
    before = {config.distillation.teacher}  # which is trained first, wherever it is listed
    for name, training in config.trainings.items():
        _check_name("trainings", name)
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
        _check_name(f"{where}.name", system.name)
        if names.count(system.name) > 1:
            raise UserError(f"{where}.name: {system.name!r} is there twice")
        _check_choice(f"{where}.training", system.training, config.trainings)
        check_options(f"{where}.decoding", system.decoding)
        for name in placeholders(system.decoding):
            _check_choice(f"{where}.decoding: the name in braces", name, config.trainings)
    always = [system.name for system in config.chosen(full=False)]
    _check_choice("latency.baseline", config.latency.baseline, always)
    _check_choice("latency.greedy", config.latency.greedy, always)


def _check_name(where: str, name: object) -> None:
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise invalid(where, name, "lower-case letters, digits and _")


def _check_choice(where: str, name: str, valid: Iterable[str]) -> None:
    if name not in valid:
        raise invalid(where, name, f"one of {', '.join(valid)}")
