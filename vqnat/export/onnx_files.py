"""Writing graphs as ONNX, checking them against torch, and making int8 ones."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import onnxscript
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.quantization.matmul_nbits_quantizer import DefaultWeightOnlyQuantConfig, MatMulNBitsQuantizer
from torch import Tensor, nn

from vqnat.export.tracing import Example

BLOCK = 128  # inputs of a linear map that share a scale, in int8
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
            opset_version=example.opset,
            dynamo=True,
            optimize=False,
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


def write_int8(fp32: Path, path: Path) -> None:
    """Linear maps in int8: weights by blocks, activations of each position when it runs.

    Every position has scales of its own, so that a sentence's output does not depend on its batch.
    """
    config = DefaultWeightOnlyQuantConfig(block_size=BLOCK, is_symmetric=True, accuracy_level=4, bits=8)  # 4: int8
    with quiet():
        quantizer = MatMulNBitsQuantizer(onnx.load(fp32), algo_config=config)
        quantizer.process()
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(quantizer.model.model, path)


def write_int8_dynamic(fp32: Path, path: Path) -> None:
    """Linear maps in int8 by onnxruntime's dynamic quantisation: weights by output, activations by batch.

    Faster on some machines, but one scale for all activations of a batch makes a sentence's output depend on its
    batch, and x86 processors without VNNI saturate.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with quiet():
        quantize_dynamic(
            onnx.load(fp32), path, op_types_to_quantize=["MatMul"], per_channel=True, weight_type=QuantType.QInt8
        )


WRITERS = {"int8": write_int8, "int8_dynamic": write_int8_dynamic}


@contextmanager
def quiet() -> Iterator[None]:
    """Both quantisers log each node, and recommend what the exporter has done."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)


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
