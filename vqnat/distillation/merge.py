"""From finished journals to a folder that fairseq-train reads."""

import shutil
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import torch
from fairseq.data import indexed_dataset

from vqnat.data.bitext import Bitext
from vqnat.distillation.batches import plan_batches
from vqnat.distillation.disk_errors import writing
from vqnat.distillation.distill_options import Options
from vqnat.distillation.hypotheses import Hypotheses
from vqnat.distillation.journal import Journal
from vqnat.distillation.manifest import require_same, write_manifest
from vqnat.distillation.result_figures import figures_of
from vqnat.distillation.shards import journal_path, missing_batches
from vqnat.distillation.sources import DISTILLED_VALID, Sources
from vqnat.errors import UserError
from vqnat.records.atomic import replacing
from vqnat.records.checksums import SUMS, sha256, write_sums


def merge(options: Options, sources: Sources, settings: dict[str, Any]) -> dict[str, Any]:
    """Write the result and its manifest into ``--out`` and remove the journals.

    Returns:
        The figures of the manifest.

    Raises:
        UserError: a shard is missing, unfinished, still being written or of another distillation.
    """
    bitext = sources.bitext
    journals = [_open_finished(options, sources, settings, shard) for shard in range(options.shards)]
    try:
        hypotheses = Hypotheses([journal.path for journal in journals], len(sources.lengths))
        max_source = min(journal.header["max_source"] for journal in journals)
        raw = sample_raw(len(sources.parts[0]), options.mix_raw, options.seed)
        outputs = write_train(options.out, sources, hypotheses, raw)
        outputs |= write_valid(options.out, sources, hypotheses)
        outputs |= copy_rest(options.out, bitext)
        with writing(options.out / SUMS):
            write_sums(options.out, outputs)
        figures = figures_of(sources, hypotheses, max_source, raw)
        write_manifest(options, bitext, settings, figures, outputs)
        remove_journals(options)
        return figures
    finally:
        for journal in journals:
            journal.close()


def remove_journals(options: Options) -> None:
    """Remove the journals, which are not needed once there is a manifest."""
    shutil.rmtree(options.out / "shards", ignore_errors=True)


def _open_finished(options: Options, sources: Sources, settings: dict[str, Any], shard: int) -> Journal:
    path = journal_path(options, shard)
    batches = plan_batches(sources.lengths, options.max_tokens, options.batch_size)
    left = missing_batches(options, len(batches), shard)
    if left is None:
        raise UserError(f"{path}: no such shard yet; run it with --num-shards {options.shards} --shard {shard}")
    if left:
        raise UserError(f"{path}: {len(left)} batches are missing; run this shard to its end first")
    journal = Journal(path, {})  # which locks it
    require_same(path, journal.header["settings"], settings)
    return journal


def sample_raw(sentences: int, fraction: float, seed: int) -> np.ndarray:
    """Indices of the original pairs to add, in order; a larger fraction includes those of a smaller one."""
    order = np.random.RandomState(seed).permutation(sentences)
    return np.sort(order[: round(fraction * sentences)])


def write_train(out: Path, sources: Sources, hypotheses: Hypotheses, raw: np.ndarray) -> dict[str, str]:
    """Write the train split: the bitext in order, the original pairs ``raw``, the extra lines in order.

    Returns:
        ``{file name: sha256}``.
    """
    bitext, text, (train, _, extra) = sources.bitext, sources.text, sources.parts
    from_source, from_target = (bitext.sentences("train", x) for x in (bitext.source, bitext.target))

    def source_side() -> Iterable[torch.Tensor]:
        for i in train:
            yield from [from_source[i]] * max(1, hypotheses.counts[i])
        yield from (from_source[int(i)] for i in raw)
        for line, i in enumerate(extra):
            yield from [torch.from_numpy(text[line])] * hypotheses.counts[i]

    def target_side() -> Iterable[torch.Tensor]:
        for i in train:
            yield from hypotheses[i] or [from_target[i]]
        yield from (from_target[int(i)] for i in raw)
        for i in extra:
            yield from hypotheses[i]

    return write_split(out, bitext, "train", source_side(), target_side())


def write_valid(out: Path, sources: Sources, hypotheses: Hypotheses) -> dict[str, str]:
    """Write the distilled validation set, if asked for. Returns ``{file name: sha256}``."""
    bitext, part = sources.bitext, sources.parts[1]
    if not sources.with_valid:
        return {}
    from_source, from_target = (bitext.sentences("valid", x) for x in (bitext.source, bitext.target))
    targets = ((hypotheses[i] or [from_target[n]])[0] for n, i in enumerate(part))
    return write_split(out, bitext, DISTILLED_VALID, (from_source[n] for n in range(len(part))), targets)


def write_split(
    out: Path, bitext: Bitext, split: str, sources: Iterable[torch.Tensor], targets: Iterable[torch.Tensor]
) -> dict[str, str]:
    """Write both sides of a split. Returns ``{file name: sha256}``."""
    written = {}
    for language, sentences in {bitext.source: sources, bitext.target: targets}.items():
        data, index = (out / bitext.file(split, language, ending).name for ending in ("bin", "idx"))
        write_side(data, index, len(bitext.dictionary(language)), sentences)
        written |= {path.name: sha256(path) for path in (data, index)}
    return written


def write_side(data: Path, index: Path, vocabulary: int, sentences: Iterable[torch.Tensor]) -> None:
    """Write one language of a split in fairseq-preprocess's format."""
    with (
        writing(data),
        replacing(data) as data_temporary,
        writing(index),
        replacing(index) as index_temporary,
    ):
        with writing(data):
            builder = indexed_dataset.make_builder(str(data_temporary), impl="mmap", vocab_size=vocabulary)
            try:
                for sentence in sentences:
                    builder.add_item(sentence)
                builder._data_file.flush()  # so that a full disk is noticed here, with the right file name
            except OSError:
                with suppress(OSError):  # closing writes the rest of the buffer once more
                    builder._data_file.close()
                raise
        builder.finalize(str(index_temporary))


def copy_rest(out: Path, bitext: Bitext) -> dict[str, str]:
    """Copy valid, test, dictionaries and the like, byte for byte. Returns ``{file name: sha256}``."""
    written = {}
    left_out = ("train", "preprocess.log", "distillation.json", SUMS, ".")
    for path in sorted(p for p in bitext.folder.iterdir() if p.is_file() and not p.name.startswith(left_out)):
        with writing(out / path.name), replacing(out / path.name) as temporary:
            shutil.copyfile(path, temporary)
        written[path.name] = sha256(out / path.name)
    return written
