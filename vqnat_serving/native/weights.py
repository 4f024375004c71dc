"""``weights.safetensors``: a model as the engine reads it, the sizes in the file's metadata."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import numpy as np

from vqnat_serving.errors import UserError
from vqnat_serving.native.layout import ModelSizes, StackSizes, integer_weights, weight_shapes

FILE = "weights.safetensors"
FORMAT = "vqnat-native-1"
STACKS = ("encoder", "predictor", "decoder")


def write_weights(path: Path, sizes: ModelSizes, weights: Mapping[str, np.ndarray]) -> None:
    """Write one file. Raises OSError."""
    from safetensors.numpy import save

    metadata = {"format": FORMAT, "sizes": json.dumps(asdict(sizes))}
    path.write_bytes(save({name: np.ascontiguousarray(values) for name, values in weights.items()}, metadata))


def read_weights(path: Path) -> tuple[ModelSizes, dict[str, np.ndarray]]:
    """Sizes and weights, checked: the engine trusts them.

    Raises:
        UserError: no readable file, another format, or a weight that is missing or of another shape.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(str(path), "numpy") as file:
            metadata = file.metadata() or {}
            if (found := metadata.get("format")) != FORMAT:
                raise UserError(f"{path}: format {found!r}, this runner reads {FORMAT!r}: export again")
            given = json.loads(metadata["sizes"])
            sizes = ModelSizes(**{**given, **{name: StackSizes(**given[name]) for name in STACKS}})
            weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  (not a dict)
    except UserError:
        raise
    except (OSError, SafetensorError, ValueError, TypeError, KeyError) as error:
        raise UserError(f"{path}: not the weights of an exported model ({type(error).__name__})") from error
    _check(path, sizes, weights)
    return sizes, weights


def _check(path: Path, sizes: ModelSizes, weights: Mapping[str, np.ndarray]) -> None:
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
        flat = values.shape if values.ndim == 2 else (1, values.size)
        kinds = (np.float32, np.int8) if name in integers else (np.float32,)
        if values.ndim > 2 or flat[1] != columns or (rows and flat[0] != rows) or values.dtype not in kinds:
            raise UserError(
                f"{path}: {name} is {values.dtype} {values.shape}; needed {rows or 'any'} x {columns} "
                f"{' or '.join(np.dtype(kind).name for kind in kinds)}"
            )
        if values.dtype == np.int8:
            scale = weights.get(f"{name}.scale")
            if scale is None or scale.shape != (flat[0],) or scale.dtype != np.float32:
                raise UserError(f"{path}: {name}.scale: needed {flat[0]} float32, one for each output")
