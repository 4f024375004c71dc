"""The test set translated by one system: fairseq-generate, and its output as text in the corpus's order."""

import re
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import sentencepiece

from vqnat.pipeline.config import Config, System
from vqnat.pipeline.program_options import arguments
from vqnat.pipeline.training import device_arguments
from vqnat.records.training_logs import Follower

HYPOTHESIS = re.compile(r"^H-(\d+)\t[^\t]*\t(.*)$")


def generate_command(config: Config, system: System, data: Path, checkpoint: Path, decoding: dict) -> list[str]:
    """fairseq-generate on the test set; its output is in subwords."""
    task = config.options(system.training)["task"]
    # By default, fairseq-fixed drops a last batch whose size is not a multiple of 8.
    batches = {"batch-size": 64, "required-batch-size-multiple": 1}
    return [
        *(sys.executable, "-m", "fairseq_cli.generate", str(data), "--user-dir", "vqnat", "--task", task),
        *("--source-lang", config.source, "--target-lang", config.target, "--gen-subset", "test"),
        *("--path", str(checkpoint), "--log-format", "none", "--seed", str(config.seed)),
        *("--scoring", "sacrebleu"),  # not read; the default's C code crashes on an empty translation
        *(*device_arguments(config), *arguments({**batches, **decoding})),
    ]


def sentence_counter(log: Path, total: int, note: Callable[[str], None]) -> Callable[[], None]:
    """A function that, when called, notes how many sentences a running fairseq-generate has written to its log."""
    follower, done = Follower(log), 0

    def poll() -> None:
        nonlocal done
        done += sum(line.startswith("S-") for line in follower.lines())
        note(f"{done} of {total} sentences")

    return poll


def read_hypotheses(lines: Iterable[str], count: int, model: Path) -> list[str]:
    """The best hypothesis of each of ``count`` sentences, subwords joined by the sentencepiece ``model``."""
    processor = sentencepiece.SentencePieceProcessor(model_file=str(model))
    found: dict[int, str] = {}
    for line in lines:
        if match := HYPOTHESIS.match(line.rstrip("\n")):
            found.setdefault(int(match[1]), processor.decode(match[2].split()))  # best first
    missing = [n for n in range(count) if n not in found]
    if missing:
        shown = ", ".join(str(n + 1) for n in missing[:5])
        raise ValueError(f"{len(missing)} of {count} test sentences have no translation: lines {shown} ...")
    return [found[n] for n in range(count)]


def read_lines(path: Path) -> list[str]:
    """Lines of text; only a line feed ends one."""
    return path.read_text(encoding="utf-8").removesuffix("\n").split("\n")


def write_lines(path: Path, lines: list[str]) -> None:
    """Write one sentence per line."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
