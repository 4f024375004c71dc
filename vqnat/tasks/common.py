"""What our tasks add to fairseq's, whatever they train."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Optional

from fairseq.dataclass import FairseqDataclass

from vqnat.errors import UserError
from vqnat.models.warm_start import start_from_teacher


@dataclass
class TeacherStartConfig(FairseqDataclass):
    """The option of :class:`TeacherStart`."""

    encoder_from: Optional[str] = field(  # noqa: UP045  (fairseq's parser does not read `str | None`)
        default=None,
        metadata={
            "help": "checkpoint of a fairseq Transformer whose source encoder (and embeddings, where shared) a new "
            "training starts from, as Gu et al. 2018 start NAT from the teacher"
        },
    )


class TeacherStart:
    """A new training may start from a teacher's encoder; a checkpoint that is loaded later never does."""

    def build_model(self, cfg, from_checkpoint=False):
        """As fairseq's, then ``--encoder-from``."""
        model = super().build_model(cfg, from_checkpoint)
        if self.cfg.encoder_from and not from_checkpoint:
            start_from_teacher(model, Path(self.cfg.encoder_from))
        return model


class ReliableBatches:
    """Every sentence is in some batch, and a resumed training sees the batches of one that never stopped."""

    def get_batch_iterator(self, dataset, **options):
        """As fairseq's, with three of its traps closed."""
        # fairseq drops the last batch, which holds the longest sentences, when its size is no multiple of this
        # option (8): translations of a test set would be missing without a word.
        options["required_batch_size_multiple"] = 1
        if options.get("num_workers", 0) == 0:
            # A buffer thread saves nothing here, and aborts the process when training ends within an epoch.
            options["data_buffer_size"] = 0
        # fairseq draws the order of sentences of one length from seed + the epoch at which the process started.
        epoch = options.pop("epoch", 1)
        reused = dataset in self.dataset_to_epoch_iter  # then it counts its epochs itself
        try:
            iterator = super().get_batch_iterator(dataset, epoch=1, **options)
        except Exception as error:
            if "skip-invalid-size-inputs" in str(error):  # fairseq's words for a sentence that is too long
                raise UserError(str(error)) from error
            raise
        if not reused:
            iterator.epoch = max(epoch, 1)
        return iterator
