"""The weights of a model as the runner's own engine reads them."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from vqnat.models.code_training import code_table
from vqnat.models.latent_predictor import LatentPredictor, TiedOutput
from vqnat.models.latent_transformer import LatentTransformer
from vqnat.models.parallel_transformer import ParallelTransformer
from vqnat.modules.transformer import TransformerStack
from vqnat_serving.native.layout import LARGEST_WEIGHT, ModelSizes, StackSizes, integer_weights

NOTHING = StackSizes(0, 0, 0, 0, 0)


def code_inputs(predictor: LatentPredictor, vectors: Tensor) -> Tensor:
    """What the predictor's layers read of each code, given their vectors (K, D), and last of the start: (K + 1, D)."""
    inputs = predictor.input_proj(predictor.input_norm(vectors))
    return torch.cat([inputs, predictor.start.unsqueeze(0)])


def native_sizes(model: LatentTransformer | ParallelTransformer) -> ModelSizes:
    """What the engine has to know besides the weights."""
    latents = isinstance(model, LatentTransformer)
    factor = model.decoder.upsample.factor
    return ModelSizes(
        encoder=_sizes(model.encoder.stack),
        predictor=_sizes(model.predictor.stack) if latents else NOTHING,
        decoder=_sizes(model.decoder.stack),
        vocabulary=model.output_proj.out_features,
        codes=model.predictor.end if latents else 0,
        steps=model.decoder.steps if latents else 0,
        upsample=factor.numerator,
        upsample_below=factor.denominator,
        first_position=model.encoder.first_position,
        expectation=int(latents and model.config.decoder_reads == "expectation"),
    )


def native_weights(model: LatentTransformer | ParallelTransformer, quantize: bool) -> dict[str, np.ndarray]:
    """All weights by the names of :func:`vqnat_serving.native.layout.weight_shapes`, and int8 ones' scales.

    Args:
        model: in float32, on the CPU.
        quantize: make the weights of linear maps int8, as ``vqnat.export.row_int8`` does. Convolutions stay.
    """
    with torch.no_grad():
        vectors = code_table(model.bottleneck) if isinstance(model, LatentTransformer) else None
        found = {name: value.detach().float().contiguous().numpy() for name, value in _weights(model, vectors)}
    return _quantized(found, native_sizes(model)) if quantize else found


def _sizes(stack: TransformerStack) -> StackSizes:
    shape = stack.shape
    return StackSizes(shape.layers, shape.dim, shape.ffn_dim, shape.heads, int(shape.normalize_before))


def _weights(model: Any, vectors: Tensor | None) -> Iterator[tuple[str, Tensor]]:
    yield "encoder.embedding", model.encoder.embedding.weight
    yield "encoder.positions", model.encoder.positions.table
    yield from _stack("encoder", model.encoder.stack)
    if vectors is not None:
        yield "predictor.inputs", code_inputs(model.predictor, vectors)
        yield "predictor.positions", model.predictor.positions.table
        yield from _stack("predictor", model.predictor.stack)
        yield from _predictor_output(model.predictor.output_proj)
        yield "codes", vectors
        expander = model.decoder.expander
        for number, (block, wide, norm) in enumerate(
            zip(expander.residual, expander.doubling, expander.norms, strict=True)
        ):
            name = f"doubling.{number}"
            yield from _pair(f"{name}.norm", block.norm)
            [conv], [conv_norm] = block.convs, block.norms
            yield f"{name}.conv.weight", conv.weight.transpose(1, 2).flatten(1)  # (D, 3 D), the left neighbor first
            yield from _pair(f"{name}.conv_norm", conv_norm)
            yield from _pair(f"{name}.wide", wide)
            yield from _pair(f"{name}.wide_norm", norm)
    yield "decoder.positions", model.decoder.positions.table
    yield from _stack("decoder", model.decoder.stack)
    yield from _pair("output", model.output_proj)
    shift = torch.zeros(model.output_proj.out_features)
    for symbol, penalty in model.output_layer.penalties.items():
        shift[symbol] = -penalty
    shift[list(model.output_layer.forbidden)] = -torch.inf
    yield "output.shift", shift


def _stack(name: str, stack: TransformerStack) -> Iterator[tuple[str, Tensor]]:
    for number, layer in enumerate(stack.layers):
        parts: dict[str, Any] = {
            "self_norm": layer.self_norm,
            "self_in": layer.self_attention.in_proj,
            "self_out": layer.self_attention.out_proj,
        }
        if layer.reads_source:
            parts |= {
                "source_norm": layer.source_norm,
                "source_query": layer.source_attention.query_proj,
                "source_in": layer.source_attention.source_proj,
                "source_out": layer.source_attention.out_proj,
            }
        parts |= {"ffn_norm": layer.ffn_norm, "fc1": layer.fc1, "fc2": layer.fc2}
        for part, module in parts.items():
            yield from _pair(f"{name}.{number}.{part}", module)
    if stack.shape.normalize_before:
        yield from _pair(f"{name}.norm", stack.norm)


def _pair(name: str, module: nn.Module) -> Iterator[tuple[str, Tensor]]:
    yield f"{name}.weight", module.weight
    if module.bias is not None:
        yield f"{name}.bias", module.bias


def _predictor_output(output: nn.Module) -> Iterator[tuple[str, Tensor]]:
    if not isinstance(output, TiedOutput):
        yield from _pair("predictor.output", output)
        return
    # Two linear maps, one after the other, are one.
    table = output.table(output.proj.weight)  # (K, D)
    weight, bias = output.proj.weight, output.proj.bias
    yield "predictor.output.weight", torch.cat([table @ weight[:-1], weight[-1:]])
    yield "predictor.output.bias", torch.cat([table @ bias[:-1] + output.bias, bias[-1:]])


def _quantized(weights: Mapping[str, np.ndarray], sizes: ModelSizes) -> dict[str, np.ndarray]:
    made = dict(weights)
    for name in integer_weights(sizes):
        values = weights[name]
        scale = np.maximum(np.abs(values).max(1) / LARGEST_WEIGHT, np.finfo(np.float32).tiny).astype(np.float32)
        made[name] = np.round(values / scale[:, None]).astype(np.int8)
        made[f"{name}.scale"] = scale
    return made
