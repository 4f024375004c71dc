"""Discrete bottlenecks: from encoder vectors to codes and back. Knows torch only.

Composed of an assignment (:mod:`.assignment`), an estimator (:mod:`.estimator`) and a codebook that updates
itself (:mod:`.codebook`). A new bottleneck is one file here with one ``@register_bottleneck``.
"""

from vqnat.bottlenecks import hard_em, soft_em  # noqa: F401  (registration)
from vqnat.bottlenecks.record import BottleneckOutput
from vqnat.bottlenecks.registry import bottleneck_names, bottleneck_options, build_bottleneck

__all__ = ["BottleneckOutput", "bottleneck_names", "bottleneck_options", "build_bottleneck"]
