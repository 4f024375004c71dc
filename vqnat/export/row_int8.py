"""Linear layers in int8, with a scale for each row of activations and for each output.

onnxruntime's own dynamic quantization has one scale for all activations of a batch, so that a sentence's output depends
on the others in its batch; its block-quantized linear layer is no faster than fp32. Here each position is scaled by its
own largest value, as CTranslate2 does, and the product is the integer kernel's.
"""

import numpy as np
import onnx
from onnx import ModelProto, NodeProto, helper, numpy_helper

from vqnat_serving.native.layout import LARGEST_WEIGHT

LARGEST = 127
ZERO = 128  # the product is of unsigned activations and signed weights
DOMAIN = "com.microsoft"


def quantize_linear_maps(model: ModelProto) -> ModelProto:
    """A copy in which each MatMul with a constant matrix multiplies integers.

    y_ij = s_i w_j sum_k round(127 x_ik / s_i) round(W_kj / w_j) / 127,   s_i = max_k |x_ik|,   w_j = max_k |W_kj| / 63
    """
    model = ModelProto.FromString(model.SerializeToString())
    graph = model.graph
    weights = {one.name: one for one in graph.initializer}
    read = [name for node in graph.node for name in node.input]
    nodes: list[NodeProto] = []
    scaled: dict[str, tuple[str, str]] = {}  # activations -> their integers and scales, made once
    for node in graph.node:
        weight = weights.get(node.input[1]) if node.op_type == "MatMul" else None
        if weight is None or len(weight.dims) != 2:
            nodes.append(node)
            continue
        [x], [y] = node.input[:1], node.output
        if x not in scaled:
            added, scaled[x] = _scale_rows(x)
            nodes += added
        integers, scale = scaled[x]
        name = weight.name
        if f"{name}.int8" not in weights:
            for one in _quantize(weight):
                weights[one.name] = one
                graph.initializer.append(one)
        inputs = (integers, f"{name}.int8", "rows.step", f"{name}.scale", "rows.zero")
        nodes += [
            helper.make_node("MatMulIntegerToFloat", inputs, [f"{y}.unscaled"], f"{y}.integer", domain=DOMAIN),
            helper.make_node("Mul", [f"{y}.unscaled", scale], [y], f"{y}.scaled"),
        ]
        read.remove(name)
        if name not in read:
            graph.initializer.remove(weight)
    del graph.node[:]
    graph.node.extend(nodes)
    if scaled:
        graph.initializer.extend(_constants())
        _import(model)
    return model


def _scale_rows(x: str) -> tuple[list[NodeProto], tuple[str, str]]:
    """Nodes that make of x (..., K) integers (..., K) and scales (..., 1)."""
    steps = (
        ("Abs", [x], f"{x}.abs", {}),
        ("ReduceMax", [f"{x}.abs", "rows.axis"], f"{x}.scale", {"keepdims": 1}),
        # In a row of zeros 0 / 0 becomes any integer, which the scale then makes 0 again.
        ("Div", [x, f"{x}.scale"], f"{x}.parts", {}),
        ("QuantizeLinear", [f"{x}.parts", "rows.step", "rows.zero"], f"{x}.integers", {}),
    )
    nodes = [helper.make_node(kind, inputs, [out], out, **options) for kind, inputs, out, options in steps]
    return nodes, (f"{x}.integers", f"{x}.scale")


def _quantize(weight: onnx.TensorProto) -> list[onnx.TensorProto]:
    values = numpy_helper.to_array(weight)  # (K, N)
    scale = np.maximum(np.abs(values).max(0) / LARGEST_WEIGHT, np.finfo(np.float32).tiny).astype(np.float32)  # (N,)
    integers = np.round(values / scale).astype(np.int8)
    return [
        numpy_helper.from_array(integers, f"{weight.name}.int8"),
        numpy_helper.from_array(scale, f"{weight.name}.scale"),
    ]


def _constants() -> list[onnx.TensorProto]:
    values = {
        "rows.axis": np.array([-1]),
        "rows.step": np.float32(1 / LARGEST),
        "rows.zero": np.uint8(ZERO),
    }
    return [numpy_helper.from_array(np.asarray(value), name) for name, value in values.items()]


def _import(model: ModelProto) -> None:
    if DOMAIN not in {one.domain for one in model.opset_import}:
        model.opset_import.append(helper.make_opsetid(DOMAIN, 1))
