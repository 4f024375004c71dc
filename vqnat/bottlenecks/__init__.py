"""Discrete bottlenecks: from encoder vectors to codes and back. Knows torch only."""

import importlib
import pkgutil

from vqnat.bottlenecks.core.bottleneck import Bottleneck, BottleneckOutput
from vqnat.bottlenecks.core.codebook import perplexity
from vqnat.bottlenecks.core.registry import bottleneck_fields, bottleneck_names, bottleneck_options, build_bottleneck

for _module in sorted(module.name for module in pkgutil.iter_modules(__path__)):
    importlib.import_module(f"{__name__}.{_module}")  # registration

__all__ = [
    "Bottleneck",
    "BottleneckOutput",
    "bottleneck_fields",
    "bottleneck_names",
    "bottleneck_options",
    "build_bottleneck",
    "perplexity",
]
