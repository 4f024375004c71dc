"""Trained models as translators of plain text, and checkpoints as model folders.

    from vqnat.hub import LatentTranslator
    translator = LatentTranslator.from_pretrained("my_model")  # a model folder, org/name on the Hub, or a checkpoint
    print(translator.translate(["A sentence.", "Another one."]))

Read :mod:`.translator` first. A sentence is split into subwords (:mod:`.subwords`), batched by length
(``vqnat_serving.translator``), decoded by the generator of the checkpoint's task as ``fairseq-generate`` does, and
joined to text again. :mod:`.translator_options` lists what may be chosen; ``vqnat translate`` is the command line.

:mod:`.packaging` writes a model folder (``vqnat_serving.model_folder`` says what is in it) from a checkpoint's weights
and configuration, with scores (:mod:`.scores`), a card (:mod:`.model_card`) and, for a
teacher, a checkpoint that other programs read.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vqnat.hub.translator import LatentTranslator
    from vqnat_serving.hypothesis import Hypothesis

__all__ = ["Hypothesis", "LatentTranslator"]

_HOMES = {"Hypothesis": "vqnat_serving.hypothesis", "LatentTranslator": "vqnat.hub.translator"}


def __getattr__(name: str) -> object:
    # On first use, so that a command line can import its options without torch and fairseq.
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
