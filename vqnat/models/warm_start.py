"""Warm start: begin training with another model's source encoder (Gu et al. 2018, section 4), codes or decoder."""

from pathlib import Path

import torch
from torch import Tensor, nn

from vqnat.checkpoints.reading import read_checkpoint
from vqnat.errors import UserError
from vqnat.output_layers.registry import check_checkpoint

_NAMES = {
    "self_attn.out_proj": "self_attention.out_proj",
    "self_attn_layer_norm": "self_norm",
    "final_layer_norm": "ffn_norm",
    "fc1": "fc1",
    "fc2": "fc2",
}


def teacher_encoder_state(teacher: dict[str, Tensor]) -> dict[str, Tensor]:
    """The source encoder of a fairseq Transformer under the names of ours.

    Args:
        teacher: the ``model`` entry of its checkpoint.

    Returns:
        Parameters of :class:`vqnat.models.source_encoder.SourceEncoder`.
    """
    state = {"embedding.weight": teacher["encoder.embed_tokens.weight"]}
    layer = 0
    while f"encoder.layers.{layer}.fc1.weight" in teacher:
        theirs, ours = f"encoder.layers.{layer}.", f"stack.layers.{layer}."
        for kind in ("weight", "bias"):
            parts = [teacher[f"{theirs}self_attn.{part}_proj.{kind}"] for part in "qkv"]
            state[f"{ours}self_attention.in_proj.{kind}"] = torch.cat(parts)
            for their, our in _NAMES.items():
                state[f"{ours}{our}.{kind}"] = teacher[f"{theirs}{their}.{kind}"]
        layer += 1
    for kind in ("weight", "bias"):
        if f"encoder.layer_norm.{kind}" in teacher:
            state[f"stack.norm.{kind}"] = teacher[f"encoder.layer_norm.{kind}"]
    return state


def start_encoder(model, path: Path) -> None:
    """Copy a source encoder into a new model: a latent or parallel transformer, or one of fairseq's own.

    The checkpoint is a fairseq Transformer's or, for our models, also a latent or parallel transformer's. With
    ``--share-all-embeddings`` the target embeddings and the output layer are the same table and come along.

    Raises:
        UserError: the checkpoint cannot be read, holds no such encoder, or one of another size or vocabulary.
    """
    given = read_checkpoint(path)["model"]
    ours = model.encoder.state_dict()
    if "embed_tokens.weight" in ours or "encoder.embedding.weight" in given:
        theirs = _part(given, "encoder.")
    elif "encoder.embed_tokens.weight" in given:
        theirs = teacher_encoder_state(given)
    else:
        theirs = {}
    if not theirs:
        raise UserError(f"--encoder-from {path}: not a Transformer with a source encoder")
    _copy(theirs, model.encoder, "encoder", f"--encoder-from {path}")


def start_codes(model, path: Path) -> None:
    """Copy what makes and predicts codes into a new latent transformer: both encoders, bottleneck and predictor.

    Its decoder may have another output layer than the checkpoint's.

    Raises:
        UserError: the checkpoint cannot be read, holds no latent transformer, or one of another size or vocabulary.
    """
    option = f"--codes-from {path}"
    if not hasattr(model, "bottleneck"):
        raise UserError(f"{option}: only for latent_transformer")
    given = read_checkpoint(path)["model"]
    if not _part(given, "target_encoder."):
        raise UserError(f"{option}: not a latent transformer")
    for part in ("encoder", "target_encoder", "bottleneck", "predictor"):
        _copy(_part(given, f"{part}."), getattr(model, part), part, option)


def start_decoder(model, path: Path) -> None:
    """Copy the layers of a parallel decoder, and its output layer, into a new latent or parallel transformer.

    What comes before the layers, copies of the source or expanded codes, is not copied, so either kind of model can
    start from the other.

    Raises:
        UserError: the checkpoint cannot be read, holds no such decoder, one of another size or vocabulary, or another
            output layer.
    """
    option = f"--decoder-from {path}"
    if not hasattr(model, "output_layer"):
        raise UserError(f"{option}: only for latent_transformer and parallel_transformer")
    given = read_checkpoint(path)["model"]
    stack = _part(given, "decoder.stack.")
    if not stack:
        raise UserError(f"{option}: not a latent or parallel transformer")
    try:
        check_checkpoint(model.output_layer, given)
    except UserError as error:
        raise UserError(f"{option}: {error}") from error
    _copy(stack, model.decoder.stack, "decoder", option)
    for part in ("output_proj", "output_layer"):
        _copy(_part(given, f"{part}."), getattr(model, part), part, option)


def _part(state: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in state.items() if name.startswith(prefix)}


def _copy(theirs: dict[str, Tensor], module: nn.Module, part: str, option: str) -> None:
    ours = module.state_dict()
    differing = sorted(theirs.keys() ^ ours.keys())
    if differing:
        raise UserError(f"{option}: other layers than this model's {part}: {', '.join(differing[:3])}")
    for name, value in ours.items():
        if theirs[name].shape != value.shape:
            raise UserError(f"{option}: {name} is {tuple(theirs[name].shape)}, this model needs {tuple(value.shape)}")
    module.load_state_dict(theirs)
