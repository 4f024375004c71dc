"""Optimizers for ``fairseq-train --optimizer``."""

from vqnat.optimizers import fused_adam  # noqa: F401  (registration)
