"""The old path of :mod:`vqnat_serving.command_line`; it goes away with version 0.3."""

import warnings

from vqnat_serving.command_line import *  # noqa: F403

warnings.warn("vqnat_serving.command is now vqnat_serving.command_line", DeprecationWarning, stacklevel=2)
