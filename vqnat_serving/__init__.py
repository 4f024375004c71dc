"""Translation without torch and without fairseq: exported models in an engine of our own, or on onnxruntime.

Needs sentencepiece, and numpy for the graphs; never unpickles. What it shares with ``vqnat``, which imports it, lives
here: text, batches, errors, command line.

A sentence passes :mod:`.translator`, which has it cut into subword pieces (:mod:`.pieces`), looked up in the dictionary
(:mod:`.vocabulary`) and put into a batch with others of its length (:mod:`.batches`). :mod:`.onnx_translator` then runs
source encoder, search over codes and parallel decoder, compiled (:mod:`.native`) or as graphs (:mod:`.models`, called
by :mod:`.graph_decoder`); :mod:`.output_layers` makes text (:mod:`.hypothesis`) of what they return (:mod:`.written`),
and :mod:`.alignment` tells which codes wrote which words.
:mod:`.description` says what an export holds, :mod:`.model_folder` what a model folder holds; both are found on disk
(:mod:`.export_place`) or on the Hugging Face Hub (:mod:`.hub_download`). What others may have written is read by
:mod:`.text_lines`, :mod:`.json_files` and :mod:`.onnx_wire`. :mod:`.command_line`, :mod:`.arguments` and
:mod:`.console` are what command lines share. :mod:`.server` is ``vqnat serve``.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vqnat_serving.hypothesis import Hypothesis
    from vqnat_serving.model_folder import ModelFolder
    from vqnat_serving.onnx_translator import OnnxTranslator

__all__ = ["Hypothesis", "ModelFolder", "OnnxTranslator"]

_HOMES = {
    "Hypothesis": "vqnat_serving.hypothesis",
    "ModelFolder": "vqnat_serving.model_folder",
    "OnnxTranslator": "vqnat_serving.onnx_translator",
}


def __getattr__(name: str) -> object:
    # On first use, so that vqnat_serving.errors can be imported without sentencepiece and onnxruntime.
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
