"""What stands between a parallel decoder's features and the words of a sentence.

Each layer has a loss for training, a search for decoding, and what an exported graph returns for that search. Read
``base.py`` (the contract), ``plain.py`` (a word a position), ``ctc.py`` (repeats and blanks), then ``dag.py`` (paths
through a graph) with ``dag_paths.py`` (its dynamic programs) and ``dag_beam.py``. ``log_probs.py`` is the kernel that
both losses share, ``upsample.py`` says how many positions there are.
"""

from vqnat.output_layers.base import OutputLayer, Positions, WordLoss
from vqnat.output_layers.registry import build_output_layer, check_output_layer, output_layer_names

__all__ = [
    "OutputLayer",
    "Positions",
    "WordLoss",
    "build_output_layer",
    "check_output_layer",
    "output_layer_names",
]
