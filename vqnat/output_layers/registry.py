"""Output layers by name, and their options."""

from collections.abc import Mapping
from typing import Any

from vqnat.errors import UserError
from vqnat.output_layers.ctc import CTCLayer
from vqnat.output_layers.dag import DAGLayer
from vqnat.output_layers.output_layer import OutputLayer
from vqnat.output_layers.plain import PlainLayer

_LAYERS: dict[str, type[OutputLayer]] = {layer.name: layer for layer in (PlainLayer, CTCLayer, DAGLayer)}
MOST = 16  # positions for a word


def output_layer_names() -> tuple[str, ...]:
    """The values of ``--output-layer``."""
    return tuple(_LAYERS)


def build_output_layer(config: Any) -> OutputLayer:
    """The layer of a model's options."""
    if config.output_layer == DAGLayer.name:
        return DAGLayer(config.embed_dim, config.attention_heads)
    return _LAYERS[config.output_layer]()


def upsample_factor(config: Any, latents: bool) -> float:
    """``--output-upsample``, or the layer's own where that is 0."""
    layer = _LAYERS[config.output_layer]
    own = layer.upsample if latents else layer.upsample_source
    assert own is not None  # check_output_layer
    return float(config.output_upsample or own)


def check_output_layer(config: Any, latents: bool) -> None:
    """Refuse impossible options.

    Raises:
        UserError: names the option, the value and the valid values.
    """
    names = [name for name, layer in _LAYERS.items() if latents or layer.upsample_source is not None]
    name, factor = config.output_layer, config.output_upsample
    if name not in names:
        why = "" if latents or name not in _LAYERS else " without latents, which tell how long a text is"
        raise UserError(f"--output-layer {name} is not possible{why}; valid: {', '.join(names)}")
    if name == PlainLayer.name and factor not in (0, 1):
        raise UserError(f"--output-upsample {factor:g} is not possible with --output-layer plain; valid: 1")
    if factor and not 1 <= factor <= MOST:
        raise UserError(f"--output-upsample {factor:g} is not possible; valid: 0 (the layer's own), or 1 to {MOST}")


def check_checkpoint(layer: OutputLayer, state: Mapping[str, Any]) -> None:
    """Raises UserError when the state of a model, named from its root, was trained with another output layer."""
    found = PlainLayer.name
    for name, other in _LAYERS.items():
        if other.marker is not None and f"output_layer.{other.marker}" in state:
            found = name
    if found != layer.name:
        raise UserError(
            f"the checkpoint was trained with --output-layer {found}, this model has --output-layer {layer.name}"
        )
