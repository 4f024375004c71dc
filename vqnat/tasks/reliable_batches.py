"""Batches that hold every sentence, in an order that survives a restart, and that count on any number of replicas."""

from functools import wraps
from typing import Any

from fairseq.trainer import Trainer

from vqnat.errors import UserError


class ReliableBatches:
    """Puts every sentence into some batch; a resumed training sees the batches of one that never stopped."""

    counts_idle_batches = True  # see :func:`let_idle_replicas_count`

    def train_step(self, sample, model, criterion, optimizer, update_num, ignore_grad=False):
        """As fairseq's; a batch that a replica gets for want of a real one adds nothing to any sum."""
        loss, sample_size, log = super().train_step(sample, model, criterion, optimizer, update_num, ignore_grad)
        if ignore_grad:
            sample_size = sample_size * 0
            log = {name: value * 0 for name, value in log.items()}
        return loss, sample_size, log

    def get_batch_iterator(self, dataset, **options):
        """As fairseq's, without three of its traps."""
        # fairseq drops the last batch, which holds the longest sentences, if its size is not a multiple of this
        # option (8): translations of a test set would be missing without a warning.
        options["required_batch_size_multiple"] = 1
        if options.get("num_workers", 0) == 0:
            # A buffer thread saves no time here, and aborts the process if training ends within an epoch.
            options["data_buffer_size"] = 0
        # fairseq shuffles sentences of equal length by seed + the epoch in which the process started.
        epoch = options.pop("epoch", 1)
        reused = dataset in self.dataset_to_epoch_iter  # then it counts its epochs itself
        try:
            iterator = super().get_batch_iterator(dataset, epoch=1, **options)
        except Exception as error:
            if "skip-invalid-size-inputs" in str(error):  # fairseq's error for a sentence that is too long
                raise UserError(str(error)) from error
            raise
        if not reused:
            iterator.epoch = max(epoch, 1)
        return iterator


def let_idle_replicas_count() -> None:
    """Make fairseq count the real batches of a replica whose last one is a substitute.

    With ``--update-freq``, a replica may have fewer batches than others in the last update of an epoch. fairseq puts
    a substitute in place of each that is missing; and if the last one of an update is a substitute, it forgets how many
    words the others had, though not their gradients: the sum of gradients is then divided by too few words. With the
    substitutes first, of which our tasks count no word, the division is right. Calling it twice is harmless.
    """
    original = Trainer.train_step
    if getattr(original, "counts_idle_batches", False):
        return

    @wraps(original)
    def train_step(self: Trainer, samples: Any, raise_oom: bool = False) -> Any:
        if getattr(self.task, "counts_idle_batches", False):
            samples = sorted(samples, key=bool)  # stable: those that are empty first
        return original(self, samples, raise_oom)

    train_step.counts_idle_batches = True  # type: ignore[attr-defined]
    Trainer.train_step = train_step
