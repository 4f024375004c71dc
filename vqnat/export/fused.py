"""Attention as one operator of onnxruntime's."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from vqnat.modules.attention import CrossAttention, SelfAttention


def fused_dot_product(
    query: Tensor, key: Tensor, value: Tensor, heads: int, attend: Tensor | None = None, *_: object, **__: object
) -> Tensor:
    """As :func:`vqnat.modules.attention.dot_product` without dropout, while a graph is exported.

    The standard's Attention is taken apart into a dozen kernels on a CPU; this one is a single kernel.
    """
    keep = None if attend is None else attend[:, 0, 0].int()  # (B, S)
    inputs = (query, key, value, None, keep)
    name = "com.microsoft::MultiHeadAttention"
    return torch.onnx.ops.symbolic(name, inputs, {"num_heads": heads}, dtype=query.dtype, shape=query.shape, version=1)


@contextmanager
def fused(graph: nn.Module) -> Iterator[None]:
    """Inside, the graph's attention is exported as one operator; it can then not be run by torch."""
    attentions = [module for module in graph.modules() if isinstance(module, SelfAttention | CrossAttention)]
    for module in attentions:
        module.core = fused_dot_product
    try:
        yield
    finally:
        for module in attentions:
            del module.core
