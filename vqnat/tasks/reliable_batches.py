"""Batches that hold every sentence, in an order that survives a restart."""

from vqnat.errors import UserError


class ReliableBatches:
    """Puts every sentence into some batch; a resumed training sees the batches of one that never stopped."""

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
