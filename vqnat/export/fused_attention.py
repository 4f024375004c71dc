"""Attention as one operator of onnxruntime's."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from vqnat.modules.attention import CrossAttention, SelfAttention


def fused_dot_product(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    heads: int,
    mask: Tensor | None = None,
    dropout: float = 0.0,
    causal: bool = False,
) -> Tensor:
    """As :func:`vqnat.modules.attention.dot_product`, while a graph is exported: no dropout.

    onnxruntime decomposes the standard's Attention into a dozen kernels on a CPU; this operator is a single kernel.
    """
    assert not dropout
    keep = None if mask is None else mask[:, 0, 0].int()  # (B, S)
    inputs = (query, key, value, None, keep)
    name = "com.microsoft::MultiHeadAttention"
    options = {"num_heads": heads, "unidirectional": int(causal)}
    return torch.onnx.ops.symbolic(name, inputs, options, dtype=query.dtype, shape=query.shape, version=1)


@contextmanager
def fused(graph: nn.Module) -> Iterator[None]:
    """Inside, attention in the graph is exported as one operator; torch cannot run it then."""
    attentions = [module for module in graph.modules() if isinstance(module, SelfAttention | CrossAttention)]
    cores = [module.core for module in attentions]
    for module in attentions:
        module.core = fused_dot_product
    try:
        yield
    finally:
        for module, core in zip(attentions, cores, strict=True):
            module.core = core
