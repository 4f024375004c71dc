"""Trained checkpoints as translators of plain text.

    from vqnat.hub import LatentTranslator
    translator = LatentTranslator.from_pretrained("checkpoints/average.pt", data="DATA")
    print(translator.translate(["A sentence.", "Another one."]))

Read :mod:`.translator` first. A sentence is split into subwords (:mod:`.subwords`), batched by length
(``vqnat_serving.translator``), decoded by the generator of the checkpoint's task as ``fairseq-generate`` does, and
joined to text again. :mod:`.translator_options` lists what may be chosen; ``python -m vqnat.hub`` is the command line.
"""

from vqnat.hub.translator import LatentTranslator
from vqnat_serving.hypothesis import Hypothesis

__all__ = ["Hypothesis", "LatentTranslator"]
