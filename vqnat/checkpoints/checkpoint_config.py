"""What a checkpoint's configuration says, in plain values: what a model folder keeps of it."""

import argparse
from argparse import Namespace
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from fairseq.dataclass.utils import convert_namespace_to_omegaconf
from fairseq.models import ARCH_CONFIG_REGISTRY, ARCH_MODEL_REGISTRY
from omegaconf import DictConfig, OmegaConf

from vqnat.records.results import shown

# Of the task, what decoding reads. What else it has belongs to the training, or names its files.
TASK = (
    *("left_pad_source", "left_pad_target", "max_source_positions", "max_target_positions", "truncate_source"),
    *("required_seq_len_multiple", "upsample_primary"),
)
# Options of a model that name files, which its weights have made needless.
FILES = ("encoder_embed_path", "decoder_embed_path", "pretrained_encoder", "pretrained_decoder")
# Of the training, what people ask about.
TRAINING = {
    "common": ("seed", "fp16", "bf16"),
    "dataset": ("max_tokens", "batch_size"),
    "optimization": ("max_update", "max_epoch", "lr", "clip_norm", "update_freq"),
    "optimizer": None,  # all of it
    "lr_scheduler": None,
}


@dataclass(frozen=True)
class CheckpointConfig:
    """The parts of a checkpoint's configuration that outlive the training.

    Attributes:
        arch: name of the architecture.
        model: every option of the model; for fairseq's Transformer ``arch`` is among them.
        task: see :data:`TASK`.
        criterion: with its name as ``_name``.
        training: see :data:`TRAINING`, and ``updates``.
        data: folder of the training.
    """

    arch: str
    model: dict[str, Any]
    task: dict[str, Any]
    criterion: dict[str, Any]
    training: dict[str, Any]
    data: Path

    @classmethod
    def of(cls, state: Mapping[str, Any]) -> "CheckpointConfig":
        """From the content of a checkpoint."""
        old = state.get("args")
        cfg = state["cfg"] if old is None else convert_namespace_to_omegaconf(old)
        if not isinstance(cfg, DictConfig):
            cfg = OmegaConf.create(cfg, flags={"allow_objects": True})
        model = cfg.model
        options = _namespace_options(model) if isinstance(model, Namespace) else _plain(model)
        task, criterion = _plain(cfg.task), _plain(cfg.get("criterion"))
        training: dict[str, Any] = {}
        for group, names in TRAINING.items():
            values = _plain(cfg.get(group))
            training |= {
                f"{group}.{name}" if names is None else name: value
                for name, value in values.items()
                if (names is None or name in names) and value is not None
            }
        history = state.get("optimizer_history") or [{}]
        training["updates"] = history[-1].get("num_updates")
        return cls(
            arch=str(options.get("arch") or options.get("_name")),
            model=options,
            task={name: task[name] for name in TASK if name in task},
            criterion=criterion,
            training=training,
            data=Path(str(getattr(cfg.task, "data", None) or ".").split(":")[0]),
        )


def _namespace_options(namespace: Namespace) -> dict[str, Any]:
    """The options of a model without a dataclass, those that its architecture sets included.

    Its namespace holds all options of the training; the model's are those that it adds to a parser.
    """
    arch = namespace.arch
    parser = argparse.ArgumentParser(argument_default=argparse.SUPPRESS, allow_abbrev=False)
    ARCH_MODEL_REGISTRY[arch].add_args(parser)
    names = {action.dest for action in parser._actions} - {"help"}
    given = Namespace(**{name: value for name, value in vars(namespace).items() if name in names})
    ARCH_CONFIG_REGISTRY[arch](given)
    values = vars(given) | {name: None for name in FILES if getattr(given, name, None)}
    return {"arch": arch, **{name: _value(value) for name, value in values.items()}}


def _plain(values: Any) -> dict[str, Any]:
    """A group of options as a dictionary of what JSON has."""
    if values is None:
        return {}
    if isinstance(values, Namespace):  # without a dataclass; it holds all options of the training, files among them
        values = {name: value for name, value in vars(values).items() if name in ("_name", *TASK)}
    elif isinstance(values, DictConfig):
        values = OmegaConf.to_container(values, resolve=True)
    return {name: _value(value) for name, value in values.items()}


def _value(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, list | tuple):
        return [_value(one) for one in value]
    if isinstance(value, dict):
        return {str(name): _value(one) for name, one in value.items()}
    if value is None or isinstance(value, bool | int | float):
        return value
    return shown(str(value))
