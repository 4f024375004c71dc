"""Every reader of data that somebody else may have written, and how it is fuzzed.

:mod:`.reader` says what a reader is; :data:`READERS` holds all of them. :mod:`.running` runs one with atheris, which
looks for inputs that reach new code; :mod:`.mutations` needs nothing, for a short run.
"""

from fuzz import http_readers, image_readers, model_readers, record_readers, text_readers  # noqa: F401  (registration)
from fuzz.reader import READERS, Reader

__all__ = ["READERS", "Reader"]
