"""Starting a training from an autoregressive teacher's source encoder (Gu et al. 2018, section 4)."""

from pathlib import Path

import torch
from torch import Tensor

from vqnat.averaging import load_checkpoint
from vqnat.errors import UserError

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


def start_from_teacher(model, path: Path) -> None:
    """Copy the teacher's source encoder into a new model: a latent transformer, or one of fairseq's own.

    With ``--share-all-embeddings`` the target embeddings and the output layer are the same table and come along.

    Raises:
        UserError: the checkpoint cannot be read, holds no Transformer, or one of another size or vocabulary.
    """
    teacher = load_checkpoint(path)["model"]
    if "encoder.embed_tokens.weight" not in teacher:
        raise UserError(f"--encoder-from {path}: not a fairseq Transformer")
    ours = model.encoder.state_dict()
    if "embed_tokens.weight" in ours:
        theirs = {name.removeprefix("encoder."): v for name, v in teacher.items() if name.startswith("encoder.")}
    else:
        theirs = teacher_encoder_state(teacher)
    differing = sorted(theirs.keys() ^ ours.keys())
    if differing:
        raise UserError(f"--encoder-from {path}: other layers than this model's encoder: {', '.join(differing[:3])}")
    for name, value in ours.items():
        if theirs[name].shape != value.shape:
            raise UserError(
                f"--encoder-from {path}: {name} is {tuple(theirs[name].shape)}, this model needs {tuple(value.shape)}"
            )
    model.encoder.load_state_dict(theirs)
