"""Prepare a trained model for inference. Irreversible: it can no longer be trained, saved or moved."""

from typing import Any

import torch

from vqnat.choices import PRECISIONS
from vqnat.errors import UserError
from vqnat.kernels.packed_linear import LEAST, Int8Linear, PackedLinear, can_pack, pack
from vqnat.models.compilation import compile_parts

PARTS = ("encoder", "predictor", "decoder", "output_proj", "output_layer")  # what decoding runs; codes stay in fp32
DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


def prepare_for(model: torch.nn.Module, task: Any) -> None:
    """As a task's ``--decode-...`` options say, see :func:`prepare`. The compiled engine packs weights by itself."""
    options = {name: getattr(task, f"decode_{name}", None) for name in ("precision", "compile", "engine")}
    if options["engine"] != "native":
        prepare(model, options["precision"], bool(options["compile"]))
    elif options["compile"] or options["precision"] not in (None, "fp32"):
        wrong = "compile" if options["compile"] else f"precision {options['precision']}"
        raise UserError(f"--decode-{wrong}: not with --decode-engine native, which decodes in fp32")


def prepare(model: torch.nn.Module, precision: str | None = None, compiled: bool = False) -> None:
    """Cast a model and prepack its large linear layers, in place. It can no longer be trained, saved or moved.

    Args:
        model: a :class:`LatentTransformer` or :class:`ParallelTransformer` on its device.
        precision: one of :data:`PRECISIONS`; None leaves it as it is. ``int8_dynamic`` needs a CPU, and makes a
            sentence's translation depend slightly on its batch.
        compiled: torch.compile instead of prepacking; the first sentences then take minutes.

    Raises:
        UserError: for any other precision, or another device.
    """
    if precision not in (None, *PRECISIONS):
        raise UserError(f"--decode-precision {precision} is not possible; valid: {', '.join(PRECISIONS)}")
    int8 = precision == "int8_dynamic"
    weight = model.encoder.embedding.weight
    if int8 and not (can_pack(weight) and weight.dtype == torch.float32):
        raise UserError(f"--decode-precision {precision}: needs a model in fp32 on a CPU")
    if int8 and compiled:
        raise UserError(f"--decode-compile: not with --decode-precision {precision}; valid: {', '.join(DTYPES)}")
    if precision in DTYPES:
        model.to(DTYPES[precision])
    if compiled:
        compile_parts(model)
        return
    how = (Int8Linear, 0) if int8 else (PackedLinear, LEAST)
    for part in (part for part in PARTS if hasattr(model, part)):
        setattr(model, part, pack(getattr(model, part), *how))
