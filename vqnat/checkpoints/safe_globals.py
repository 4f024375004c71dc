"""The classes that a fairseq checkpoint holds besides tensors, registered so that ``torch.load`` accepts them.

Since torch 2.6, ``torch.load`` unpickles only tensors and a list of classes known to be safe (``weights_only=True``).
fairseq's loader passes no argument, so the classes that fairseq saves are added to that list: plain containers and
numpy scalars, none of which runs code when it is built.
"""

import argparse

import numpy as np
import torch

try:
    from numpy._core.multiarray import _reconstruct, scalar
except ImportError:  # numpy 1
    from numpy.core.multiarray import _reconstruct, scalar


def allow_fairseq_checkpoints() -> None:
    """Add the classes of fairseq's checkpoints to torch's list of safe ones; calling it twice is harmless."""
    numpy_dtypes = {type(np.dtype(code)) for code in np.typecodes["AllInteger"] + np.typecodes["AllFloat"] + "?"}
    torch.serialization.add_safe_globals(
        [argparse.Namespace, np.ndarray, np.dtype, _reconstruct, scalar, *numpy_dtypes]
    )
