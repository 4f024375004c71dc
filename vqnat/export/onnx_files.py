"""Writing graphs as ONNX, checking them against torch, and making int8 ones."""

import logging
import warnings
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import onnxscript
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from torch import Tensor, nn

from vqnat.export.tracing import Example

OPSET = 18
TOLERANCE = 1e-3  # in what leaves a graph: other orders of summing, not other computations


def write_fp32(graph: nn.Module, example: Example, path: Path) -> None:
    """Export one graph with the example's names and dynamic axes."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of names of axes that are equal
        logging.getLogger("torch.onnx").setLevel(logging.ERROR)  # of torchvision, which is not needed
        program = torch.onnx.export(
            graph,
            tuple(example.inputs.values()),
            input_names=list(example.inputs),
            output_names=list(example.outputs),
            dynamic_shapes=example.axes,
            opset_version=OPSET,
            dynamo=True,
            verbose=False,
        )
    # Fold transposed weights of any size: only a MatMul with a constant is made int8.
    onnxscript.optimizer.optimize(program.model, input_size_limit=2**40, output_size_limit=2**40)
    written = program.model_proto
    # Shapes of values that folding took away would stop the quantiser; stack traces name this machine's folders.
    del written.graph.value_info[:]
    for node in written.graph.node:
        del node.metadata_props[:]
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(written, path)


def write_int8(fp32: Path, path: Path, reduce_range: bool) -> None:
    """Dynamic quantisation: weights of linear maps as int8, one scale for each output; activations when it runs.

    Args:
        fp32: the exported model.
        path: file to write.
        reduce_range: weights of 7 bits, for x86 processors without VNNI, where 8 overflow.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    level = logging.root.level
    logging.root.setLevel(logging.ERROR)  # it recommends shape inference, which the exporter has done
    try:
        quantize_dynamic(
            onnx.load(fp32),
            path,
            op_types_to_quantize=["MatMul", "Gemm"],
            per_channel=True,
            reduce_range=reduce_range,
            weight_type=QuantType.QInt8,
        )
    finally:
        logging.root.setLevel(level)


def largest_difference(graph: nn.Module, inputs: dict[str, Tensor], path: Path) -> float:
    """The largest difference between a graph in torch and its ONNX file, relative to 1 + |value|.

    Infinities must be the same; whole numbers (chosen words) are not compared.
    """
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    found = session.run(None, {name: value.numpy() for name, value in inputs.items()})
    with torch.no_grad():
        expected = [value.numpy() for value in graph(*inputs.values())]
    worst = 0.0
    for ours, theirs in zip(found, expected, strict=True):
        if np.issubdtype(theirs.dtype, np.floating):
            worst = max(worst, float((np.abs(ours - theirs) / (1 + np.abs(theirs))).max(initial=0)))
    return worst


def versions() -> dict[str, str]:
    """Versions of what wrote the files."""
    names = {"onnx": onnx, "onnxruntime": onnxruntime, "onnxscript": onnxscript, "torch": torch}
    return {name: module.__version__ for name, module in names.items()}
