"""From a checkpoint file to a task and a model, with one line for everything that can be wrong with it."""

from argparse import Namespace
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fairseq import checkpoint_utils, tasks
from fairseq.dataclass.utils import convert_namespace_to_omegaconf
from omegaconf import open_dict

from vqnat.errors import UserError


@dataclass(frozen=True)
class Loaded:
    """A model on the CPU, the task that decodes with it, and the folder of its dictionaries."""

    task: Any
    task_name: str
    model: Any
    arch: str
    data: Path


def load_checkpoint(
    checkpoint: Path,
    data_bin: Path | None,
    task_name: str | None = None,
    languages: tuple[str | None, str | None] = (None, None),
    who: str = "",
) -> Loaded:
    """Load with the dictionaries of ``data_bin``.

    Args:
        checkpoint: file.
        data_bin: folder with the dictionaries; None takes the checkpoint's own folder when it has some, else the
            one that it was trained with.
        task_name: instead of the checkpoint's.
        languages: source and target; None takes the checkpoint's, or else that of the data's file names.
        who: begins every error.

    Raises:
        UserError: no such file, not a checkpoint, an unknown task or architecture, other dictionaries.
    """
    where = f"{who}{checkpoint}"
    if not checkpoint.is_file():
        raise UserError(f"{where}: no such file")
    if data_bin is not None and not data_bin.is_dir():
        raise UserError(f"{who}{data_bin}: no such folder (needed: what fairseq-preprocess --destdir wrote)")
    try:
        state = checkpoint_utils.load_checkpoint_to_cpu(str(checkpoint))
        old = state.get("args")
        cfg = state["cfg"] if old is None else convert_namespace_to_omegaconf(old)
        weights = state["model"]
        data_bin = data_bin or _find_data(checkpoint, cfg.task)
        task_name = _set_task(cfg.task, task_name, languages, data_bin)
    except Exception as error:  # pickle, zip, torch: each has its own
        raise UserError(f"{where}: not a readable fairseq checkpoint ({_reason(error)})") from error
    try:
        task = tasks.setup_task(cfg.task, from_checkpoint=True)
    except Exception as error:
        raise UserError(f"{where}: task {task_name} does not start with {data_bin} ({_reason(error)})") from error
    _check_sizes(where, weights, task)
    try:
        [model], _, task = checkpoint_utils.load_model_ensemble_and_task([str(checkpoint)], task=task, state=state)
    except Exception as error:
        raise UserError(f"{where}: cannot be loaded ({_reason(error)})") from error
    arch = getattr(cfg.model, "arch", None) or getattr(cfg.model, "_name", type(model).__name__)
    return Loaded(task, task_name, model, str(arch), data_bin)


def _find_data(checkpoint: Path, settings: Any) -> Path:
    beside = checkpoint.absolute().parent
    return beside if any(beside.glob("dict.*.txt")) else Path(settings.data.split(":")[0])


def _set_task(settings: Any, name: str | None, languages: tuple[str | None, str | None], data_bin: Path) -> str:
    # Tasks with a dataclass have a DictConfig with _name; older ones a Namespace with task.
    name_key = "task" if isinstance(settings, Namespace) else "_name"
    with nullcontext() if isinstance(settings, Namespace) else open_dict(settings):
        settings.data = str(data_bin)
        for key, language in zip(("source_lang", "target_lang"), languages, strict=True):
            if language is not None:  # not every task has languages
                setattr(settings, key, language)
        setattr(settings, name_key, name or getattr(settings, name_key))
        return getattr(settings, name_key)


def _check_sizes(where: str, weights: dict[str, Any], task: Any) -> None:
    # Which embedding belongs to which side: fairseq's models, then the latent transformer.
    sides = {
        "source": ("encoder.embed_tokens.weight", "encoder.embedding.weight"),
        "target": ("decoder.embed_tokens.weight", "output_proj.weight"),
    }
    for side, keys in sides.items():
        dictionary = getattr(task, f"{side}_dictionary")
        for key in keys:
            if key in weights and len(weights[key]) != len(dictionary):
                raise UserError(
                    f"{where}: the model has {len(weights[key])} {side} symbols, the dictionary of the data "
                    f"{len(dictionary)} (4 special ones included): binarise the data with the model's"
                )


def _reason(error: Exception) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text[:200]}" if text else type(error).__name__
