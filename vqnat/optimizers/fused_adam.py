"""``--optimizer fused_adam``: torch's own Adam, one kernel for all parameters."""

from typing import Any

import torch
from fairseq.optim import register_optimizer
from fairseq.optim.adam import FairseqAdam, FairseqAdamConfig
from fairseq.optim.fairseq_optimizer import FairseqOptimizer


@register_optimizer("fused_adam", dataclass=FairseqAdamConfig)
class FusedAdam(FairseqOptimizer):
    """Adam with decoupled weight decay, as ``--optimizer adam``, by ``torch.optim.AdamW(fused=True)``.

    fairseq's own needs apex for a fused step; without it, it launches about ten kernels for each parameter, which for
    a small model on a GPU takes as long as the forward pass. Options are those of ``adam``. Epsilon is added after the
    bias correction instead of before it, a difference of rounding.
    """

    def __init__(self, cfg: FairseqAdamConfig, params: Any) -> None:
        super().__init__(cfg)
        self._optimizer = torch.optim.AdamW(params, fused=True, **self.optimizer_config)

    optimizer_config = FairseqAdam.optimizer_config
