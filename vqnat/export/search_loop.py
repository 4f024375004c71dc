"""A turn of a search as the body of a loop, so that onnxruntime runs the whole search at once."""

from dataclasses import dataclass, field

from onnx import GraphProto, ModelProto, TensorProto, ValueInfoProto, helper


@dataclass(frozen=True)
class Turn:
    """What the names of a turn's inputs and outputs mean.

    Attributes:
        count: the input that counts turns.
        carried: inputs that one turn hands to the next.
        read: inputs that are the same in all turns.
        collected: output -> the carried input whose value after each turn is kept, stacked along a new first axis.
    """

    count: str
    carried: tuple[str, ...]
    read: tuple[str, ...]
    collected: dict[str, str] = field(default_factory=dict)

    @property
    def outputs(self) -> tuple[str, ...]:
        """The turn's outputs: whether to go on, and what is carried."""
        return ("more", *(f"{name}.next" for name in self.carried))


def loop_of(model: ModelProto, turn: Turn) -> ModelProto:
    """A model that runs the turns.

    Its inputs are those of the turn, with ``turns``, the most turns, in place of the count; what is carried is named
    ``NAME.first``. Its outputs are what was carried last, ``NAME.last``, and what was collected, by its own name.
    """
    inputs = {one.name: one for one in model.graph.input}
    body = GraphProto()
    body.CopyFrom(model.graph)
    body.name = "turn"
    del body.input[:], body.output[:]
    # Shapes change from turn to turn: axes have no sizes here.
    body.input.append(helper.make_tensor_value_info(turn.count, TensorProto.INT64, []))
    body.input.append(helper.make_tensor_value_info("going", TensorProto.BOOL, []))
    body.input.extend(_open(inputs[name], name) for name in turn.carried)
    body.output.append(helper.make_tensor_value_info("more", TensorProto.BOOL, []))
    body.output.extend(_open(inputs[name], f"{name}.next") for name in turn.carried)
    for name, source in turn.collected.items():
        body.node.append(helper.make_node("Identity", [f"{source}.next"], [f"{name}.turn"], name))
        body.output.append(_open(inputs[source], f"{name}.turn"))

    node = helper.make_node(
        "Loop",
        ["turns", "", *(f"{name}.first" for name in turn.carried)],
        [*(f"{name}.last" for name in turn.carried), *turn.collected],
        "search",
        body=body,
    )
    graph = helper.make_graph(
        [node],
        "search",
        [
            helper.make_tensor_value_info("turns", TensorProto.INT64, []),
            *(_open(inputs[name], f"{name}.first") for name in turn.carried),
            *(inputs[name] for name in turn.read),
        ],
        [
            *(_open(inputs[name], f"{name}.last") for name in turn.carried),
            *(_open(inputs[source], name, more=1) for name, source in turn.collected.items()),
        ],
    )
    made = helper.make_model(graph, opset_imports=list(model.opset_import), ir_version=model.ir_version)
    made.functions.extend(model.functions)
    return made


def _open(value: ValueInfoProto, name: str, more: int = 0) -> ValueInfoProto:
    """A value of the same type and number of axes, of any size."""
    tensor = value.type.tensor_type
    return helper.make_tensor_value_info(name, tensor.elem_type, [None] * (len(tensor.shape.dim) + more))
