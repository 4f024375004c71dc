"""Importing fairseq makes it and other libraries talk; our commands have notes of their own."""

import logging
import warnings


def silence_imports() -> None:
    """Let through warnings only, and none of torch's about fairseq; to be called before fairseq is imported.

    fairseq sets up the root logger at INFO when it finds none.
    """
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s: %(message)s")
    logging.getLogger("fairseq").setLevel(logging.WARNING)
    warnings.filterwarnings("ignore", category=UserWarning, module="torch")
