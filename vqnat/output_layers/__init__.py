"""What stands between a parallel decoder's features and the words of a sentence.

Each layer has a loss for training, a search for decoding, and what an exported graph returns for that search. Read
``output_layer.py`` (the contract), ``plain.py`` (a word per position), ``ctc.py`` (repeats and blanks) with
``ctc_alignment.py``, then ``dag.py`` (paths through a graph) with ``dag_paths.py`` (its dynamic programs) and
``dag_beam.py``. ``smoothing.py`` is the label smoothing of the last two, ``upsample.py`` says how many positions there
are, ``registry.py`` finds a layer by its name.

A batch passes as :class:`Positions`: features (B, L, D) of the decoder, and logits of the real positions alone.
"""

from vqnat.output_layers.output_layer import OutputLayer, Positions, WordLoss
from vqnat.output_layers.registry import build_output_layer, check_output_layer, output_layer_names

__all__ = [
    "OutputLayer",
    "Positions",
    "WordLoss",
    "build_output_layer",
    "check_output_layer",
    "output_layer_names",
]
