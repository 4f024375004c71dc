"""Translation without torch and without fairseq: exported models on onnxruntime.

Needs numpy, onnxruntime and sentencepiece, and never unpickles. What it shares with ``vqnat``, which imports it, lives
here: text, batches, errors, command line. A sentence passes :mod:`.translator` (batches by length), :mod:`.pieces`
(text to ids), :mod:`.onnx_translator` (the searches), :mod:`.models` (the exported graphs).
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vqnat_serving.hypothesis import Hypothesis
    from vqnat_serving.onnx_translator import OnnxTranslator

__all__ = ["Hypothesis", "OnnxTranslator"]

_HOMES = {"Hypothesis": "vqnat_serving.hypothesis", "OnnxTranslator": "vqnat_serving.onnx_translator"}


def __getattr__(name: str) -> object:
    # On first use, so that vqnat_serving.errors can be imported without sentencepiece and onnxruntime.
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
