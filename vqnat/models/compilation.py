"""torch.compile of the parts that decoding runs, and of the layers that training repeats."""

import os
import shutil
import sys

import torch

from vqnat.errors import UserError
from vqnat.modules.transformer import TransformerLayer


def check_compiler() -> None:
    """UserError where torch.compile would find no C++ compiler, which it calls at the first batch only."""
    name = os.environ.get("CXX", "clang++" if sys.platform == "darwin" else "g++")  # as torch._inductor.config
    if shutil.which(name) is None:
        raise UserError(f"torch.compile needs a C++ compiler: no {name} here; install one, or name one in CXX")


def compile_parts(model: torch.nn.Module) -> None:
    """Compile what decoding runs, in place, for any number of sentences, words and codes.

    On a CPU weights become constants of the compiled code, prepacked as in :mod:`vqnat.kernels.packed_linear`.
    """
    check_compiler()
    how = {"dynamic": True}
    if model.encoder.embedding.weight.device.type == "cpu":
        how["options"] = {"freezing": True}
    for part in (model.encoder, model.decoder, model.output_proj):
        part.compile(**how)
    predictor = getattr(model, "predictor", None)
    for name in (
        ("begin", "step") if predictor else ()
    ):  # of the predictor: what decoding calls instead of its forward pass
        setattr(predictor, name, torch.compile(getattr(predictor, name), **how))


def compile_layers(model: torch.nn.Module) -> int:
    """Compile the Transformer layers, in place, for any number of sentences and words; returns how many there are.

    Layers of one kind share their compiled code, so that a model's first updates take a minute or two; compiled as a
    whole, with its codebook that starts at some update, it takes ten and more.
    """
    layers = [module for module in model.modules() if isinstance(module, TransformerLayer)]
    if layers:
        check_compiler()
    for layer in layers:
        layer.compile(dynamic=True)
    return len(layers)
