"""The engine for an export, if there can be one."""

from vqnat_serving.description import Description
from vqnat_serving.errors import UserError
from vqnat_serving.export_place import ExportPlace
from vqnat_serving.native.library import LEVELS, Engine, find_library
from vqnat_serving.native.weights import read_weights

OUTPUT_LAYERS = ("plain", "ctc")  # whose search reads words alone


def native_engine(place: ExportPlace, about: Description, precision: str, needed: bool) -> Engine | None:
    """The engine with the weights of an export.

    Args:
        place: where the export is.
        about: what it says of itself.
        precision: of the weights.
        needed: whether to say why there is none.

    Raises:
        UserError: there is none and it is needed, or the weights are damaged or another model's.
    """
    if precision not in about.precisions:
        return None  # the graphs say so
    missing = None
    library, weights = find_library(), place.weights(precision)
    if about.output_layer not in OUTPUT_LAYERS:
        missing = f"it has no output layer {about.output_layer}; it has {', '.join(OUTPUT_LAYERS)}"
    elif library is None:
        missing = "it was not built: install vqnat where there is a C++ compiler (gcc or clang)"
    elif precision == "int8" and LEVELS[library.vqnat_processor()] == "plain":
        missing = "int8 needs a processor with AVX2"
    elif weights is None:
        missing = f"{place.graphs} has no weights for it: export the checkpoint again"
    if missing or library is None or weights is None:
        if needed:
            raise UserError(f"engine 'native': {missing}")
        return None
    sizes, values = read_weights(weights)
    tokens = about.max_source_tokens
    rows = {
        "encoder.positions": tokens + sizes.first_position,
        "decoder.positions": sizes.positions(about.max_codes if about.latents else tokens),
        **({"predictor.positions": about.max_codes + 1} if about.latents else {}),
    }
    for name, least in rows.items():
        if len(values[name]) < least:
            raise UserError(f"{weights}: {name} has {len(values[name])} rows; needed {least}, as export.json says")
    if (sizes.latents, sizes.codes if sizes.latents else about.end) != (about.latents, about.end):
        raise UserError(f"{weights}: another model than export.json describes")
    return Engine(library, sizes, values)
