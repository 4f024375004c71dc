"""``weights.safetensors``: a model as the engine reads it, the sizes in the file's metadata."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vqnat_serving.errors import UserError
from vqnat_serving.mapped_tensors import ERRORS, NAMES, mapped_tensors
from vqnat_serving.native.layout import ModelSizes, StackSizes, integer_weights, two_dimensions, weight_shapes

if TYPE_CHECKING:
    import numpy as np

FILE = "weights.safetensors"
FORMAT, WHAT = "vqnat-native-1", "the weights of an exported model"
STACKS = ("encoder", "predictor", "decoder")


def write_weights(path: Path, sizes: ModelSizes, weights: Mapping[str, "np.ndarray"]) -> None:
    """Write one file. Raises OSError."""
    import numpy as np
    from safetensors.numpy import save

    metadata = {"format": FORMAT, "sizes": json.dumps(asdict(sizes))}
    path.write_bytes(save({name: np.ascontiguousarray(values) for name, values in weights.items()}, metadata))


def read_weights(path: Path) -> tuple[ModelSizes, dict[str, Any]]:
    """Sizes, and weights as memory of the file, checked: the engine trusts them.

    Raises:
        UserError: no readable file, another format, or a weight that is missing or of another shape or type.
    """
    metadata, weights = mapped_tensors(path, FORMAT, WHAT)
    try:
        given = json.loads(metadata["sizes"])
        sizes = ModelSizes(**{**given, **{name: StackSizes(**given[name]) for name in STACKS}})
    except ERRORS as error:
        raise UserError(f"{path}: not {WHAT} ({type(error).__name__})") from error
    _check(path, sizes, weights)
    return sizes, weights


def _check(path: Path, sizes: ModelSizes, weights: Mapping[str, Any]) -> None:
    small = [sizes.steps, sizes.first_position, sizes.predictor.layers, *(sizes.decoder.layers, sizes.encoder.layers)]
    stacks = [sizes.encoder, sizes.decoder, *([sizes.predictor] if sizes.latents else [])]
    if (
        min(small) < 0
        or max(small) > 1024
        or sizes.expectation not in (0, 1)
        or min(sizes.vocabulary, sizes.upsample, sizes.upsample_below) < 1
        or (sizes.latents and sizes.codes < 1)
        or any(s.dim != sizes.decoder.dim or s.ffn < 1 or s.heads < 1 or s.dim % s.heads for s in stacks)
    ):
        raise UserError(f"{path}: sizes that no model has: {sizes}")
    integers = set(integer_weights(sizes))
    for name, (rows, columns) in weight_shapes(sizes).items():
        if name not in weights:
            if name.endswith(".bias") and not name.endswith("norm.bias"):
                continue
            raise UserError(f"{path}: lacks {name}")
        values = weights[name]
        flat = two_dimensions(values)
        kinds = "fb" if name in integers else "f"
        if values.ndim > 2 or flat[1] != columns or (rows and flat[0] != rows) or values.format not in kinds:
            raise UserError(
                f"{path}: {name} is {NAMES[values.format]} {values.shape}; needed {rows or 'any'} x {columns} "
                f"{' or '.join(NAMES[kind] for kind in kinds)}"
            )
        if values.format == "b":
            scale = weights.get(f"{name}.scale")
            if scale is None or scale.shape != (flat[0],) or scale.format != "f":
                raise UserError(f"{path}: {name}.scale: needed {flat[0]} float32, one for each output")
