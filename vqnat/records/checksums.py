"""Checksums of files; the runner checks a model folder with the same function."""

from vqnat_serving.checksums import sha256

__all__ = ["sha256"]
