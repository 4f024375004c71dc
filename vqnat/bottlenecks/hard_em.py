"""Hard EM: vector quantisation with an EMA codebook (Roy et al. 2018, section 2)."""

from dataclasses import dataclass

from torch import Tensor

from vqnat.bottlenecks.assignment import nearest
from vqnat.bottlenecks.codebook import CodebookConfig
from vqnat.bottlenecks.em import EMBottleneck
from vqnat.bottlenecks.registry import register_bottleneck


@dataclass
class HardEMConfig(CodebookConfig):
    """Options of ``hard_em``."""


@register_bottleneck("hard_em", HardEMConfig)
class HardEM(EMBottleneck):
    """E step: the nearest code (eq. 1); M step: moving averages of k-means' (eqs. 3-4, 7-8)."""

    def assign(self, z: Tensor) -> Tensor:
        return nearest(z, self.codebook.embedding).unsqueeze(-1)  # (N, 1)
