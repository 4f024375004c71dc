"""Translation without torch and without fairseq: exported models on onnxruntime.

Needs numpy, onnxruntime and sentencepiece, and never unpickles. It is a package beside ``vqnat``, not in it, because
importing ``vqnat`` registers fairseq's plug-in. What both sides share lives here: text, batches, command line.
"""

from vqnat_serving.hypothesis import Hypothesis
from vqnat_serving.onnx_translator import OnnxTranslator

__all__ = ["Hypothesis", "OnnxTranslator"]
