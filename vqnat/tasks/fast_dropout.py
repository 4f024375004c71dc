"""Dropout masks that a CPU draws faster, for fairseq's own models."""

from fairseq.modules import FairseqDropout
from torch import nn

from vqnat.kernels.dropout import dropout


def use_fast_dropout(model: nn.Module) -> None:
    """Give every dropout module of a fairseq model (a teacher) the masks of :func:`dropout`, in place."""
    for module in model.modules():
        if isinstance(module, FairseqDropout):
            module.forward = lambda x, inplace=False, module=module: dropout(
                x, module.p, module.training or module.apply_during_inference
            )
