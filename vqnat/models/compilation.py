"""torch.compile, where it pays: the parts that decoding runs, the layers that training repeats."""

import torch

from vqnat.modules.transformer import TransformerLayer


def compile_parts(model: torch.nn.Module) -> None:
    """Compile what decoding runs, in place, for any number of sentences, words and codes.

    On a CPU weights become constants of the compiled code, which lays them out as :mod:`vqnat.modules.packed` does.
    """
    how = {"dynamic": True}
    if model.encoder.embedding.weight.device.type == "cpu":
        how["options"] = {"freezing": True}
    for part in (model.encoder, model.decoder, model.output_proj):
        part.compile(**how)
    for name in ("begin", "step"):  # of the predictor: what decoding calls instead of its forward pass
        setattr(model.predictor, name, torch.compile(getattr(model.predictor, name), **how))


def compile_layers(model: torch.nn.Module) -> int:
    """Compile the Transformer layers, in place, for any number of sentences and words; returns how many there are.

    Layers of one kind share their compiled code, so that a model's first updates take a minute or two; compiled as a
    whole, with its codebook that starts at some update, it takes ten and more.
    """
    layers = [module for module in model.modules() if isinstance(module, TransformerLayer)]
    for layer in layers:
        layer.compile(dynamic=True)
    return len(layers)
