"""A shard: decoding, one after another, the batches that its journal does not hold yet."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from vqnat.distillation.batches import plan_batches, shard_batches
from vqnat.distillation.distill_options import Options
from vqnat.distillation.journal import Journal, Record, read_header, scan
from vqnat.distillation.manifest import require_same
from vqnat.distillation.notes import say
from vqnat.distillation.sources import Sources
from vqnat.distillation.teacher import Teacher
from vqnat.errors import UserError


def journal_path(options: Options, shard: int) -> Path:
    """The journal of a shard."""
    return options.out / "shards" / f"shard-{shard}-of-{options.shards}.journal"


def check_journals(options: Options, settings: dict[str, Any]) -> None:
    """Raise UserError if ``--out`` holds a shard of another distillation."""
    for path in sorted((options.out / "shards").glob("*.journal")):
        header, _ = read_header(path)
        if header is not None:
            require_same(path, header["settings"], settings)


def missing_batches(options: Options, n_batches: int, shard: int) -> list[int] | None:
    """The batches that the journal of a shard lacks; None if it was never started."""
    path = journal_path(options, shard)
    header, first = read_header(path) if path.is_file() else (None, 0)
    if header is None:
        return None
    done = {record.batch for _, _, record in scan(path, first)}
    return [batch for batch in shard_batches(n_batches, shard, options.shards) if batch not in done]


class Tail:
    """Follows a journal that another process is writing."""

    def __init__(self, path: Path, batches: list[np.ndarray]) -> None:
        self.path, self.batches, self.at = path, batches, 0

    def more(self) -> int:
        """The sentences finished since the last call."""
        if not self.at:
            if not self.path.is_file():
                return 0
            header, self.at = read_header(self.path)
            if header is None:
                return 0
        sentences = 0
        for _, end, record in scan(self.path, self.at):
            sentences += len(self.batches[record.batch])
            self.at = end
        return sentences


def pick_device(options: Options, shard: int) -> torch.device:
    """Shards take the machine's GPUs in turn; without a GPU, or with ``--cpu``, the CPU."""
    if options.cpu or not torch.cuda.is_available():
        if options.fp16:
            raise UserError("--fp16: needs a GPU")
        return torch.device("cpu")
    device = torch.device("cuda", shard % torch.cuda.device_count())
    torch.cuda.set_device(device)
    return device


def load_teacher(options: Options, sources: Sources, device: torch.device) -> Teacher:
    """The teacher in the engine that the user chose."""
    if options.engine == "fairseq":
        return Teacher(options, sources, device)
    from vqnat.distillation.ctranslate2_teacher import CTranslate2Teacher

    return CTranslate2Teacher(options, sources, device)


def run_shard(
    options: Options, sources: Sources, settings: dict[str, Any], shard: int, report: Callable[[int], None]
) -> int:
    """Decode what is left of a shard.

    Args:
        options: the user's choices.
        sources: what the teacher translates.
        settings: what all shards share, see :func:`manifest.shard_settings`.
        shard: its number.
        report: called with the number of sentences after each batch.

    Returns:
        The number of batches decoded by this call.

    Raises:
        UserError: see ``Teacher`` and ``Journal``; the journal is of another distillation.
    """
    batches = plan_batches(sources.lengths, options.max_tokens, options.batch_size)
    if threads := options.threads or (1 if options.jobs > 1 else 0):
        torch.set_num_threads(threads)
    teacher = load_teacher(options, sources, pick_device(options, shard))
    header = {"settings": settings, "max_source": teacher.max_source}
    decoded = 0
    with Journal(journal_path(options, shard), header) as journal:
        require_same(journal.path, journal.header["settings"], settings)
        if journal.torn:
            say(f"{journal.path}: cut off {journal.torn} bytes of an unfinished batch")
        for batch in shard_batches(len(batches), shard, options.shards):
            if batch not in journal.done:
                journal.append(decode_batch(teacher, batch, batches[batch]))
                report(len(batches[batch]))
                decoded += 1
    return decoded


def decode_batch(teacher: Teacher, batch: int, ids: np.ndarray) -> Record:
    """Translate the sentences ``ids`` of batch number ``batch``."""
    start = time.monotonic()
    rows = teacher.translate(ids)
    return Record(
        batch=batch,
        seconds=time.monotonic() - start,
        ids=np.array([sentence for sentence, _, _ in rows], dtype=np.int32),
        lengths=np.array([len(tokens) for _, tokens, _ in rows], dtype=np.int32),
        scores=np.array([score for _, _, score in rows], dtype=np.float32),
        tokens=torch.cat([tokens for _, tokens, _ in rows]).numpy() if rows else np.empty(0, dtype=np.int32),
    )
