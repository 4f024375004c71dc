"""The options of every program that an experiment runs, from its configuration.

Paths are relative to the run's folder, so that a run that was moved is still the same run. The rules in
``workflow/rules`` put the programs before them.
"""

from collections.abc import Sequence
from pathlib import Path

from vqnat.experiments.config import Config, System
from vqnat.experiments.program_options import arguments, fill

# Options of fairseq-generate that do not apply to latency, which is measured at batch size 1.
BATCHES = ("batch-size", "max-tokens", "required-batch-size-multiple")
SPLITS = ("train", "valid", "test")


def device_options(config: Config) -> list[str]:
    """The options of every fairseq command that choose the device."""
    return ["--cpu"] if config.device == "cpu" else []


def embedded_options(config: Config) -> list[str]:
    """``vqnat embedded``: the corpus."""
    sizes = [word for split in SPLITS for word in (f"--{split}", str(getattr(config.data, split)))]
    more = ["--more", str(config.data.more)] if config.data.more else []
    return ["--seed", str(config.data.seed), *sizes, *more]


def binarize_options(config: Config) -> list[str]:
    """``data-prep/binarize.py``: vocabulary and direction."""
    return ["--vocabulary", str(config.vocabulary), "--source", config.source, "--target", config.target]


def train_options(config: Config, name: str, checkpoints: dict[str, str], seed: int) -> list[str]:
    """``fairseq-train``; it continues from ``checkpoint_last.pt`` by itself.

    Args:
        config: the experiment.
        name: of the training.
        checkpoints: of the trainings that the options name in braces.
        seed: of this training.
    """
    training = config.trainings[name]
    return [
        *("--source-lang", config.source, "--target-lang", config.target),
        *_validation_options(training.text),
        *arguments(fill(config.options(name), checkpoints)),
        *("--max-update", str(training.updates), "--seed", str(seed)),
        *("--log-format", "json", *device_options(config)),
        # for fairseq's tasks: skip no batch, no buffer thread that aborts the process at exit
        *("--required-batch-size-multiple", "1", "--data-buffer-size", "0"),
    ]


def _validation_options(text: str) -> list[str]:
    """Distilled text has a distilled validation set too; checkpoint_best.pt is by the raw one, which comes first.

    fairseq would report the second set as unused, since it compares ``valid1.en-de.en`` with ``valid1``.
    """
    return [] if text == "raw" else ["--valid-subset", "valid,valid1", "--ignore-unused-valid-subsets"]


def distill_options(config: Config, text: str, teacher: str) -> list[str]:
    """``vqnat distill``, of one shard or of the merge."""
    wanted = config.distillation
    # CTranslate2's search is for the CPU; on a GPU it is fairseq's.
    options = {name: value for name, value in wanted.options.items() if (name, config.device) != ("engine", "cuda")}
    extra = wanted.source_text.replace("{raw}", "raw") if text == "distilled_extra" else ""
    return [
        *("--path", teacher, "--valid-too", *(("--source-text", extra) if extra else ())),
        *("--num-shards", str(wanted.jobs), *arguments(options), *device_options(config)),
    ]


def generate_options(config: Config, system: System, checkpoints: dict[str, str], seed: int) -> list[str]:
    """``fairseq-generate`` on the test set; its output is in subwords."""
    # By default, fairseq-fixed drops a last batch whose size is not a multiple of 8.
    batches = {"batch-size": 64, "required-batch-size-multiple": 1}
    path = ":".join(checkpoints[name] for name in (system.training, system.reranker) if name)
    return [
        *("--task", config.options(system.training)["task"]),
        *("--source-lang", config.source, "--target-lang", config.target, "--gen-subset", "test"),
        *("--path", path, "--log-format", "none", "--seed", str(seed)),
        *(["--iter-decode-with-external-reranker"] if system.reranker else []),
        *("--scoring", "sacrebleu"),  # not read; the default's C code crashes on an empty translation
        *(*device_options(config), *arguments({**batches, **fill(system.decoding, checkpoints)})),
    ]


def latency_options(config: Config, systems: Sequence[System], checkpoints: dict[str, str], seed: int) -> list[str]:
    """``vqnat latency``: all systems in one process, interleaved."""
    measured = config.latency
    words = ["--gen-subset", "test"]
    for system in (system for system in systems if not system.reranker):
        decoding = fill(system.decoding, checkpoints)
        # not `in`: 0 is a value, and equals False
        given = {k: v for k, v in decoding.items() if v is not None and v is not False and k not in BATCHES}
        given = {k: 1 if v is True else v for k, v in given.items()}
        first = f"{system.name}={checkpoints[system.training]}"
        words += ["--system", ",".join([first, *(f"{option}={value}" for option, value in given.items())])]
    return [
        *(*words, "--baseline", measured.baseline, "--sentences", str(measured.sentences)),
        *("--min-target-words", str(measured.min_target_words), "--repeats", str(measured.repeats)),
        *("--threads", str(measured.threads), "--seed", str(seed), *device_options(config)),
    ]


def prepare_command(words: Sequence[str], raw: Path, source: str) -> list[str]:
    """A configuration's own command that fills the folder ``raw``, to be run in the repository's root."""
    return [word.replace("{raw}", str(raw)) for word in words] + (["--from", source] if source else [])
