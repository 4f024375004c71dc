"""When a codebook moves: once per optimizer step, over all micro-batches and replicas."""

import torch
from fairseq.logging import metrics

from vqnat.tasks.master_weights import write_through


class CodebookUpdates:
    """Moves the codebook of ``model.bottleneck`` once per optimizer step; does nothing for models without one."""

    def train_step(self, sample, model, criterion, optimizer, update_num, ignore_grad=False):
        """As fairseq's; a micro-batch counts towards the codebook exactly if it counts towards the gradient."""
        bottleneck = getattr(model, "bottleneck", None)
        if bottleneck is not None:
            # fairseq clears gradients before each step and after an overflow. What the codebook has accumulated is
            # discarded with them.
            if all(p.grad is None for p in model.parameters()):
                bottleneck.discard()
            bottleneck.accumulating = not ignore_grad
        return super().train_step(sample, model, criterion, optimizer, update_num, ignore_grad)

    def optimizer_step(self, optimizer, model, update_num):
        """The optimizer's step, then the codebook's, unless an overflow under AMP skipped the former."""
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
