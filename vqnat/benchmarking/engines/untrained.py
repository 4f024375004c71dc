"""Checkpoints of untrained models, for timing: speed depends on the sizes, not on the weights."""

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from fairseq import checkpoint_utils, options, tasks, utils
from fairseq.dataclass.utils import convert_namespace_to_omegaconf
from omegaconf import OmegaConf

import vqnat.plugin  # noqa: F401  (registration)
from vqnat.errors import UserError
from vqnat.records.yaml_files import read_yaml


def read_models(path: Path) -> dict[str, list[str]]:
    """Read a YAML mapping from names to fairseq-train options.

    Raises:
        UserError: the file is missing or something else.
    """
    try:
        found = read_yaml(path)
    except UserError as error:
        raise UserError(f"--models {path}: {error}") from error
    if not isinstance(found, Mapping) or not all(isinstance(words, str) for words in found.values()):
        raise UserError(f"--models {path}: needed a mapping from names to options of fairseq-train")
    try:
        return {str(name): shlex.split(words) for name, words in found.items()}
    except ValueError as error:
        raise UserError(f"--models {path}: {error}") from error


def save_untrained(words: Sequence[str], data: Path, path: Path, seed: int = 1) -> int:
    """Build a model and write its checkpoint as fairseq-train would.

    Args:
        words: ``--task``, ``--arch`` and the model's options.
        data: folder written by fairseq-preprocess.
        path: checkpoint to write; its folder is created.
        seed: of the weights.

    Returns:
        The number of parameters.

    Raises:
        UserError: fairseq rejects the options.
    """
    try:
        args = options.parse_args_and_arch(options.get_training_parser(), input_args=[str(data), "--cpu", *words])
    except SystemExit as error:  # argparse has printed the reason
        raise UserError(f"{path.name}: fairseq-train does not take {shlex.join(words)}") from error
    cfg = convert_namespace_to_omegaconf(args)
    utils.set_torch_seed(seed)
    task = tasks.setup_task(cfg.task)
    model = task.build_model(cfg.model)
    _never_special(model, task.target_dictionary)
    path.parent.mkdir(parents=True, exist_ok=True)
    checkpoint_utils.torch_persistent_save(_state(cfg, model), str(path))
    return sum(parameter.numel() for parameter in model.parameters())


@torch.no_grad()
def _never_special(model: torch.nn.Module, dictionary) -> None:
    # A random end of sentence would make some outputs shorter than the forced length. A logit of zero is never the
    # largest of thousands of random ones.
    output = model.output_proj if hasattr(model, "output_proj") else model.decoder.output_projection
    output.weight[[dictionary.bos(), dictionary.eos(), dictionary.pad(), dictionary.unk()]] = 0


def _state(cfg: Any, model: torch.nn.Module) -> dict[str, Any]:
    history = {"criterion_name": "", "optimizer_name": "", "lr_scheduler_state": {}, "num_updates": 0}
    return {
        "args": None,
        "cfg": OmegaConf.to_container(cfg),
        "model": model.state_dict(),
        "optimizer_history": [history],
        "extra_state": {"train_iterator": {"epoch": 1, "iterations_in_epoch": 0}},
    }
