"""Hard EM: vector quantisation with an EMA codebook (Roy et al. 2018, section 2)."""

from dataclasses import dataclass

from vqnat.bottlenecks.codebook import CodebookConfig, EMACodebook
from vqnat.bottlenecks.quantiser import VectorQuantiser
from vqnat.bottlenecks.registry import register_bottleneck


@dataclass
class HardEMConfig(CodebookConfig):
    """Options of ``hard_em``."""


@register_bottleneck("hard_em", HardEMConfig)
class HardEM(VectorQuantiser):
    """E step: the nearest code (eq. 1); M step: moving averages of k-means' (eqs. 3-4, 7-8)."""

    def __init__(self, config: HardEMConfig, dim: int):
        super().__init__(config, EMACodebook(config, dim))
