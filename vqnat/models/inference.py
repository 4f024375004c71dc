"""Prepare a trained model for inference. Irreversible: it can no longer be trained, saved or moved."""

from typing import Any

import torch

from vqnat.choices import PRECISIONS
from vqnat.errors import UserError
from vqnat.kernels.packed_linear import LEAST, Int8Linear, PackedLinear, can_pack, pack
from vqnat.models.compilation import compile_parts
from vqnat.models.cuda_graphs import record_parts

PARTS = ("encoder", "predictor", "decoder", "output_proj", "output_layer")  # what decoding runs; codes stay in fp32
DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


def prepare_for(model: torch.nn.Module, task: Any) -> None:
    """As a task's ``--decode-...`` options say, see :func:`prepare`. The compiled engine packs weights by itself."""
    names = ("precision", "compile", "cuda_graphs", "engine")
    precision, compiled, cuda_graphs, engine = (getattr(task, f"decode_{name}", None) for name in names)
    if engine != "native":
        prepare(model, precision, bool(compiled), bool(cuda_graphs))
        return
    refused = {
        "compile": compiled,
        "cuda-graphs": cuda_graphs,
        f"precision {precision}": precision not in (None, "fp32"),
    }
    if wrong := [option for option, given in refused.items() if given]:
        raise UserError(f"--decode-{wrong[0]}: not with --decode-engine native, which decodes in fp32 on a CPU")


def prepare(
    model: torch.nn.Module, precision: str | None = None, compiled: bool = False, cuda_graphs: bool = False
) -> None:
    """Cast a model and prepack its large linear layers, in place. It can no longer be trained, saved or moved.

    Args:
        model: a :class:`LatentTransformer` or :class:`ParallelTransformer` on its device.
        precision: one of :data:`PRECISIONS`; None leaves it as it is. ``int8_dynamic`` needs a CPU, and makes a
            sentence's translation depend slightly on its batch.
        compiled: torch.compile instead of prepacking; the first sentences then take minutes.
        cuda_graphs: replay recordings of small batches, see :mod:`vqnat.models.cuda_graphs`.

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
    if compiled and cuda_graphs:
        raise UserError("--decode-cuda-graphs: not with --decode-compile")
    if compiled or cuda_graphs:
        (compile_parts if compiled else record_parts)(model)
        return
    how = (Int8Linear, 0) if int8 else (PackedLinear, LEAST)
    for part in (part for part in PARTS if hasattr(model, part)):
        setattr(model, part, pack(getattr(model, part), *how))
