"""What our tasks add to fairseq's, whatever they train."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Optional

import torch
from fairseq.dataclass import FairseqDataclass
from fairseq.logging import metrics

from vqnat.errors import UserError
from vqnat.models.warm_start import start_codes, start_decoder, start_encoder
from vqnat.tasks.master_weights import write_through


@dataclass
class TeacherStartConfig(FairseqDataclass):
    """The options of :class:`TeacherStart`."""

    encoder_from: Optional[str] = field(  # noqa: UP045  (fairseq's parser does not read `str | None`)
        default=None,
        metadata={
            "help": "checkpoint whose source encoder (and embeddings, where shared) a new training starts from: a "
            "fairseq Transformer, as Gu et al. 2018 start NAT from the teacher, or a latent or parallel transformer"
        },
    )
    codes_from: Optional[str] = field(  # noqa: UP045
        default=None,
        metadata={
            "help": "checkpoint of a latent transformer whose encoders, bottleneck and predictor a new training starts "
            "from; its output layer may be another"
        },
    )
    decoder_from: Optional[str] = field(  # noqa: UP045
        default=None,
        metadata={
            "help": "checkpoint of a latent or parallel transformer whose decoder layers and output layer a new "
            "training starts from"
        },
    )


class TeacherStart:
    """A new training may start from parts of other models; a checkpoint that is loaded later never does."""

    def build_model(self, cfg, from_checkpoint=False):
        """As fairseq's, then ``--encoder-from``, ``--codes-from`` and ``--decoder-from``."""
        model = super().build_model(cfg, from_checkpoint)
        starts = (
            (self.cfg.encoder_from, start_encoder),
            (self.cfg.codes_from, start_codes),
            (self.cfg.decoder_from, start_decoder),
        )
        for path, start in starts:
            if path and not from_checkpoint:
                start(model, Path(path))
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


class CodebookUpdates:
    """The codebook of ``model.bottleneck`` moves once per optimizer step; models without one are left alone."""

    def train_step(self, sample, model, criterion, optimizer, update_num, ignore_grad=False):
        """As fairseq's; a micro-batch counts for the codebook as often as for the gradient."""
        bottleneck = getattr(model, "bottleneck", None)
        if bottleneck is not None:
            # fairseq clears gradients before each step and after one that overflowed. What the codebook has
            # accumulated lives as long as they do.
            if all(p.grad is None for p in model.parameters()):
                bottleneck.discard()
            bottleneck.accumulating = not ignore_grad
        return super().train_step(sample, model, criterion, optimizer, update_num, ignore_grad)

    def optimizer_step(self, optimizer, model, update_num):
        """The optimizer's step, then the codebook's, unless an overflow under AMP skipped the first."""
        scaler = getattr(optimizer, "scaler", None)
        scale = scaler.get_scale() if hasattr(scaler, "get_scale") else None
        super().optimizer_step(optimizer, model, update_num)
        bottleneck = getattr(model, "bottleneck", None)
        if bottleneck is None or not bottleneck.training:  # frozen by --train-only
            return
        if scale is not None and scaler.get_scale() < scale:
            bottleneck.discard()
            return
        with torch.no_grad():
            bottleneck.apply_update()
        write_through(optimizer, bottleneck.parameters())
        if bottleneck.started:
            for name, value in (bottleneck.usage() | bottleneck.scalars()).items():
                metrics.log_scalar(name, value, weight=0, priority=80, round=4)
