"""Making ONNX models, writing them, and checking them against torch."""

import logging
import warnings
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import onnxscript
import torch
from onnx import GraphProto, ModelProto
from torch import nn

from vqnat.export.fused_attention import fused
from vqnat.export.loops import Turn, loop_of
from vqnat.export.tracing import Example

OPSET = 20
TOLERANCE = 1e-3  # in what leaves a graph: other orders of summing, not other computations


def fp32_model(graph: nn.Module, example: Example) -> ModelProto:
    """One graph with the example's names and dynamic axes, its attention in single operators."""
    with warnings.catch_warnings(), fused(graph):
        warnings.simplefilter("ignore")  # of names of axes that are equal
        logging.getLogger("torch.onnx").setLevel(logging.ERROR)  # of torchvision, which is not needed
        program = torch.onnx.export(
            graph,
            example.args,
            input_names=list(example.inputs),
            output_names=list(example.outputs),
            dynamic_shapes=example.axes,
            opset_version=OPSET,
            dynamo=True,
            optimize=False,
            verbose=False,
        )
    # Fold transposed weights of any size: only a MatMul with a constant is made int8.
    onnxscript.optimizer.optimize(program.model, input_size_limit=2**40, output_size_limit=2**40)
    made = program.model_proto
    strip(made.graph)
    return made


def strip(graph: GraphProto) -> None:
    """Take out shapes of values that folding took away, and stack traces, which name this machine's folders."""
    del graph.value_info[:]
    for node in graph.node:
        del node.metadata_props[:]
        for attribute in node.attribute:
            if attribute.HasField("g"):  # a branch
                strip(attribute.g)


def save(model: ModelProto, turn: Turn | None, path: Path) -> None:
    """Write a graph; of a search's turn, the loop."""
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model if turn is None else loop_of(model, turn), path)


def largest_difference(graph: nn.Module, example: Example, model: ModelProto) -> float:
    """The largest difference between a graph in torch and its ONNX model, relative to 1 + |value|.

    Infinities must be the same; whole numbers (chosen words) are not compared.
    """
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    wanted = {one.name for one in session.get_inputs()}  # what the graph does not read is no input
    inputs = {name: value.numpy() for name, value in example.named.items() if name in wanted}
    found = session.run(None, inputs)
    with torch.no_grad():
        expected = [value.numpy() for value in graph(*example.args)]
    worst = 0.0
    for ours, theirs in zip(found, expected, strict=True):
        if np.issubdtype(theirs.dtype, np.floating):
            with np.errstate(invalid="ignore"):  # infinities
                difference = np.where(ours == theirs, 0, np.abs(ours - theirs) / (1 + np.abs(theirs)))
            worst = max(worst, float(difference.max(initial=0)))
    return worst


def versions() -> dict[str, str]:
    """Versions of what wrote the files."""
    names = {"onnx": onnx, "onnxruntime": onnxruntime, "onnxscript": onnxscript, "torch": torch}
    return {name: module.__version__ for name, module in names.items()}
