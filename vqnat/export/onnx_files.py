"""Make ONNX models, write them, and check them against torch."""

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

from vqnat.export.example_inputs import Example
from vqnat.export.fused_attention import fused
from vqnat.export.search_loop import Turn, loop_of

OPSET = 20
TOLERANCE = 1e-3  # in a graph's outputs: another order of summing is fine, another computation is not


def fp32_model(graph: nn.Module, example: Example) -> ModelProto:
    """One graph with the example's names and dynamic axes; each attention is a single operator."""
    with warnings.catch_warnings(), fused(graph):
        warnings.simplefilter("ignore")  # about axes that have equal names
        logging.getLogger("torch.onnx").setLevel(logging.ERROR)  # about torchvision, which is not needed
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
    """Remove shapes of values that folding removed, and stack traces, which name this machine's folders."""
    del graph.value_info[:]
    for node in graph.node:
        del node.metadata_props[:]
        for attribute in node.attribute:
            if attribute.HasField("g"):  # a branch
                strip(attribute.g)


def save(model: ModelProto, turn: Turn | None, path: Path) -> None:
    """Write a graph; for the turn of a search, the loop."""
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model if turn is None else loop_of(model, turn), path)


def largest_difference(graph: nn.Module, example: Example, model: ModelProto) -> float:
    """The largest difference between a graph in torch and its ONNX model, relative to 1 + |value|.

    Infinities must agree; integers (chosen words) are not compared.
    """
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    wanted = {one.name for one in session.get_inputs()}  # an input that the graph does not read is removed
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
