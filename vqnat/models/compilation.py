"""torch.compile for the parts that decoding runs and for the layers that training repeats."""

import os
import shutil
import sys

import torch

from vqnat.errors import UserError
from vqnat.modules.transformer import TransformerLayer


def check_compiler() -> None:
    """Raise UserError where torch.compile would find no C++ compiler, which it first calls in the first batch."""
    name = os.environ.get("CXX", "clang++" if sys.platform == "darwin" else "g++")  # as torch._inductor.config
    if shutil.which(name) is None:
        raise UserError(f"torch.compile needs a C++ compiler: no {name} here; install one, or name one in CXX")


def compile_parts(model: torch.nn.Module) -> None:
    """Compile what decoding runs, in place, with dynamic batch sizes and lengths.

    On a CPU weights become constants of the compiled code, prepacked as in :mod:`vqnat.kernels.packed_linear`.
    """
    check_compiler()
    how = {"dynamic": True}
    if model.encoder.embedding.weight.device.type == "cpu":
        how["options"] = {"freezing": True}
    for part in (model.encoder, model.decoder, model.output_proj):
        part.compile(**how)
    if predictor := getattr(model, "predictor", None):
        for name in ("begin", "step"):  # what decoding calls instead of its forward pass
            setattr(predictor, name, torch.compile(getattr(predictor, name), **how))


def compile_layers(model: torch.nn.Module) -> int:
    """Compile the Transformer layers, in place, with dynamic batch sizes and lengths; returns how many there are.

    Layers of one kind share compiled code, so the first updates of a model take a minute or two. Compiling the whole
    model takes ten minutes and more, and again when the codebook starts.
    """
    layers = [module for module in model.modules() if isinstance(module, TransformerLayer)]
    if layers:
        check_compiler()
    for layer in layers:
        layer.compile(dynamic=True)
    return len(layers)
