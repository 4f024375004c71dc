"""``--encoder-from``, ``--codes-from``, ``--decoder-from``: training that starts from parts of other models."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Optional

from fairseq.dataclass import FairseqDataclass

from vqnat.models.warm_start import start_codes, start_decoder, start_encoder


@dataclass
class TeacherStartConfig(FairseqDataclass):
    """The options of :class:`TeacherStart`."""

    encoder_from: Optional[str] = field(  # noqa: UP045  (fairseq's parser does not read `str | None`)
        default=None,
        metadata={
            "help": "checkpoint whose source encoder (and embeddings, if shared) a new training starts from: a fairseq "
            "Transformer (Gu et al. 2018 start NAT from the teacher), or a latent or parallel transformer"
        },
    )
    codes_from: Optional[str] = field(  # noqa: UP045
        default=None,
        metadata={
            "help": "checkpoint of a latent transformer whose encoders, bottleneck and predictor a new training starts "
            "from; the output layers may differ"
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
    """Lets a new training start from parts of other models; loading a checkpoint never does."""

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
