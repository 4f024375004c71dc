"""Discrete bottlenecks: from encoder vectors to codes and back. Knows torch only.

Most are composed of an assignment (:mod:`vqnat.kernels`), an estimator (:mod:`.estimator`) and a
codebook (:mod:`.codebook`, :mod:`.gradient_codebook`); :mod:`.relaxed` is what the softmax-relaxed ones share. A new
bottleneck is one file here with one ``@register_bottleneck``.
"""

import importlib
import pkgutil

from vqnat.bottlenecks.record import BottleneckOutput
from vqnat.bottlenecks.registry import bottleneck_names, bottleneck_options, build_bottleneck

for _module in sorted(module.name for module in pkgutil.iter_modules(__path__)):
    importlib.import_module(f"{__name__}.{_module}")  # registration

__all__ = ["BottleneckOutput", "bottleneck_names", "bottleneck_options", "build_bottleneck"]
