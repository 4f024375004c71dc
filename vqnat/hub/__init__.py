"""Trained checkpoints as translators of plain text.

from vqnat.hub import LatentTranslator
translator = LatentTranslator.from_pretrained("checkpoints/average.pt", data="DATA")
print(translator.translate(["A sentence.", "Another one."]))
"""

from vqnat.hub.translator import LatentTranslator
from vqnat_serving.hypothesis import Hypothesis

__all__ = ["Hypothesis", "LatentTranslator"]
