"""From finished journals to a folder that fairseq-train reads."""

import shutil
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import torch
from fairseq.data import indexed_dataset

from vqnat.distillation.atomic import replacing
from vqnat.distillation.batches import plan_batches
from vqnat.distillation.bitext import Bitext
from vqnat.distillation.hypotheses import Hypotheses
from vqnat.distillation.journal import Journal
from vqnat.distillation.manifest import require_same, write_manifest
from vqnat.distillation.options import Options
from vqnat.distillation.shards import journal_path, missing_batches
from vqnat.distillation.writing import writing
from vqnat.errors import UserError
from vqnat.results import sha256


def merge(options: Options, bitext: Bitext, settings: dict[str, Any]) -> dict[str, Any]:
    """Write the result and its manifest into ``--out`` and remove the journals.

    Returns:
        The figures of the manifest.

    Raises:
        UserError: a shard is missing, unfinished, still being written or of another distillation.
    """
    journals = [_open_finished(options, bitext, settings, shard) for shard in range(options.shards)]
    try:
        hypotheses = Hypotheses([journal.path for journal in journals], len(bitext.lengths))
        max_source = min(journal.header["max_source"] for journal in journals)
        raw = sample_raw(len(bitext.lengths), options.mix_raw, options.seed)
        outputs = write_train(options.out, bitext, hypotheses, raw)
        outputs |= copy_rest(options.out, bitext)
        figures = _figures(bitext, hypotheses, max_source, raw)
        write_manifest(options, bitext, settings, figures, outputs)
        remove_journals(options)
        return figures
    finally:
        for journal in journals:
            journal.close()


def remove_journals(options: Options) -> None:
    """Remove what is not needed once there is a manifest."""
    shutil.rmtree(options.out / "shards", ignore_errors=True)


def _open_finished(options: Options, bitext: Bitext, settings: dict[str, Any], shard: int) -> Journal:
    path = journal_path(options, shard)
    batches = plan_batches(bitext.lengths, options.max_tokens, options.batch_size)
    left = missing_batches(options, len(batches), shard)
    if left is None:
        raise UserError(f"{path}: no such shard yet; run it with --num-shards {options.shards} --shard {shard}")
    if left:
        raise UserError(f"{path}: {len(left)} batches are missing; run this shard to its end first")
    journal = Journal(path, {})  # for its lock
    require_same(path, journal.header["settings"], settings)
    return journal


def sample_raw(sentences: int, fraction: float, seed: int) -> np.ndarray:
    """The original pairs to add, in document order; a larger fraction includes a smaller one's."""
    order = np.random.RandomState(seed).permutation(sentences)
    return np.sort(order[: round(fraction * sentences)])


def write_train(out: Path, bitext: Bitext, hypotheses: Hypotheses, raw: np.ndarray) -> dict[str, str]:
    """Write both sides of the train split in the order of the original, the raw pairs ``raw`` after it.

    Returns:
        ``{file name: sha256}``.
    """
    sources, targets = bitext.train(bitext.source), bitext.train(bitext.target)
    repeats = np.maximum(1, hypotheses.counts)  # (N,) pairs a source stands in

    def source_side() -> Iterable[torch.Tensor]:
        for i, repeat in enumerate(repeats):
            yield from [sources[i]] * repeat
        yield from (sources[int(i)] for i in raw)

    def target_side() -> Iterable[torch.Tensor]:
        for i in range(len(targets)):
            yield from hypotheses[i] or [targets[i]]
        yield from (targets[int(i)] for i in raw)

    sides = {bitext.source: source_side(), bitext.target: target_side()}
    written = {}
    for language, sentences in sides.items():
        data, index = (out / bitext.train_file(language, ending).name for ending in ("bin", "idx"))
        write_side(data, index, len(bitext.dictionary(language)), sentences)
        written |= {path.name: sha256(path) for path in (data, index)}
    return written


def write_side(data: Path, index: Path, vocabulary: int, sentences: Iterable[torch.Tensor]) -> None:
    """Write one language of a split as fairseq-preprocess does."""
    with replacing(data) as data_partial, replacing(index) as index_partial:
        with writing(data):
            builder = indexed_dataset.make_builder(str(data_partial), impl="mmap", vocab_size=vocabulary)
            try:
                for sentence in sentences:
                    builder.add_item(sentence)
                builder._data_file.flush()  # so that a full disk shows here and names the right file
            except OSError:
                with suppress(OSError):  # closing tries once more to write what the buffer holds
                    builder._data_file.close()
                raise
        builder.finalize(str(index_partial))


def copy_rest(out: Path, bitext: Bitext) -> dict[str, str]:
    """Copy everything but the train split, byte for byte. Returns ``{file name: sha256}``."""
    written = {}
    for path in bitext.copied():
        with replacing(out / path.name) as partial:
            shutil.copyfile(path, partial)
        written[path.name] = sha256(out / path.name)
    return written


def _figures(bitext: Bitext, hypotheses: Hypotheses, max_source: int, raw: np.ndarray) -> dict[str, Any]:
    kept = hypotheses.counts == 0
    too_long, empty = bitext.lengths > max_source, bitext.lengths <= 1
    return {
        "counts": {
            "sentences": len(bitext.lengths),
            "distilled_pairs": int(hypotheses.counts.sum()),
            "raw_kept_source_too_long": int((kept & too_long).sum()),
            "raw_kept_source_empty": int((kept & empty).sum()),
            "raw_kept_no_hypothesis": int((kept & ~too_long & ~empty).sum()),
            "raw_mixed_in": len(raw),
            "pairs": int(np.maximum(1, hypotheses.counts).sum()) + len(raw),
            "target_tokens_distilled": hypotheses.tokens,
            "batches": hypotheses.batches,
        },
        "mean_score": hypotheses.mean_score,
        "teacher_max_source_tokens": max_source,
        # summed over processes that ran side by side: the work, not the wait
        "decoding_seconds": round(hypotheses.seconds, 3),
        "sentences_per_process_second": round(len(bitext.lengths) / max(1e-9, hypotheses.seconds), 2),
    }
