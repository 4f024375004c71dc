"""The stages of :mod:`.scale` that have no command of their own: ``python -m vqnat.benchmarking.scale_stages STAGE``.

A distillation without its teacher: the targets themselves are the hypotheses, so what is left is the bookkeeping.
"""

import logging
import sys
from pathlib import Path

import numpy as np

logging.disable(logging.INFO)

from vqnat.data.bitext import open_train_split  # noqa: E402
from vqnat.distillation.batches import plan_batches  # noqa: E402
from vqnat.distillation.distill_options import Options  # noqa: E402
from vqnat.distillation.journal import Journal, Record  # noqa: E402
from vqnat.distillation.manifest import shard_settings  # noqa: E402
from vqnat.distillation.merge import merge  # noqa: E402
from vqnat.distillation.shards import journal_path  # noqa: E402
from vqnat.distillation.sources import open_sources  # noqa: E402


def main() -> None:
    """Run a stage."""
    stage, folder = sys.argv[1], Path(sys.argv[2])
    {"journal": write_journal, "merge": merge_journal, "score": score, "report": report}[stage](folder)


def _options(folder: Path) -> Options:
    data = folder / "prepared" / "bin"
    return Options(data, str(data / "dict.en.txt"), folder / "distilled")  # any file stands for the teacher


def write_journal(folder: Path) -> None:
    """Plan all batches, and write the hypotheses of each."""
    options = _options(folder)
    bitext = open_train_split(options.data, None, None)
    sources, settings = open_sources(options, bitext), shard_settings(options, bitext)
    targets = bitext.sentences("train", bitext.target)
    with Journal(journal_path(options, 0), {"settings": settings, "max_source": 1024}) as journal:
        for number, ids in enumerate(plan_batches(sources.lengths, options.max_tokens, options.batch_size)):
            rows = [targets[int(sentence)].numpy() for sentence in ids]
            lengths, scores = np.array([len(row) for row in rows]), np.full(len(rows), -0.5)
            journal.append(Record(number, 0.0, ids, lengths, scores, np.concatenate(rows)))


def merge_journal(folder: Path) -> None:
    """Make the train split of it."""
    options = _options(folder)
    bitext = open_train_split(options.data, None, None)
    merge(options, open_sources(options, bitext), shard_settings(options, bitext))


def score(folder: Path) -> None:
    """BLEU, chrF and the share of right translations of the whole train split against itself."""
    from sacrebleu.metrics import BLEU, CHRF

    from vqnat.embedded.__main__ import check
    from vqnat.records.corpus_scores import corpus_score

    outputs, sources = ((folder / "raw" / f"train.{language}") for language in ("de", "en"))
    lines = outputs.read_text(encoding="utf-8").split("\n")[:-1]
    for metric in (BLEU(), CHRF()):
        corpus_score(metric, lines, lines)
    check(sources, outputs)


def report(folder: Path) -> None:
    """A training log with a line for each ten pairs, read; what is drawn of it is as large as the picture."""
    from vqnat.records.training_logs import curves

    with open(folder / "raw" / "train.en", encoding="utf-8") as text:
        count = sum(1 for _ in text) // 10
    log = folder / "train.log"
    with log.open("w", encoding="utf-8") as file:
        for number in range(count):
            values = f'{{"epoch": 1, "loss": "{9 / (number + 1):.3f}", "num_updates": "{number}"}}'
            file.write(f"2026-01-01 00:00:00 | INFO | train_inner | {values}\n")
    curves(log)


if __name__ == "__main__":
    main()
