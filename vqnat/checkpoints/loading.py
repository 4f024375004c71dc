"""From a checkpoint file to a task and a model, with one line for everything that can be wrong."""

import warnings
from argparse import Namespace
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fairseq import checkpoint_utils, tasks
from fairseq.dataclass.utils import convert_namespace_to_omegaconf
from omegaconf import open_dict

from vqnat.checkpoints.dictionaries import check_contents, check_sizes
from vqnat.checkpoints.folder_loading import data_folder, let_fairseq_read_folders
from vqnat.checkpoints.literal_options import evaluate_literals_only
from vqnat.checkpoints.safe_globals import allow_fairseq_checkpoints
from vqnat.errors import UserError
from vqnat_serving.model_folder import is_model_folder

Languages = tuple[str | None, str | None]  # source, target


@dataclass(frozen=True)
class LoadedModel:
    """A model on the CPU, the task that decodes with it, and the folder of its dictionaries."""

    task: Any
    task_name: str
    model: Any
    arch: str
    data: Path


def load_model(
    checkpoint: Path,
    data_bin: Path | None,
    task_name: str | None = None,
    languages: Languages = (None, None),
    who: str = "",
    *,
    settings: Mapping[str, Any] | None = None,
    task: Any = None,
    compare_dictionaries: bool = False,
    hint: str = "",
) -> LoadedModel:
    """Build a task and a model with the dictionaries of ``data_bin``.

    Args:
        checkpoint: file, or model folder.
        data_bin: folder with the dictionaries; None takes the checkpoint's own folder if it holds some, else the
            folder that the model was trained with.
        task_name: replaces the checkpoint's.
        languages: source and target; None takes the checkpoint's, or else those of the data's file names.
        who: starts every error.
        settings: replace the checkpoint's settings of the task, where the task has them.
        task: a task that is set up already, for the second and later models of an ensemble.
        compare_dictionaries: compare the dictionaries of ``data_bin`` entry by entry with those that the model was
            trained with, if these can still be found. Their sizes are always compared.
        hint: ends the errors of a model that cannot be built.

    Raises:
        UserError: no such file, not a checkpoint, an unknown task or architecture, other dictionaries.
    """
    where = f"{who}{checkpoint}"
    if checkpoint.is_dir() and not is_model_folder(checkpoint):
        raise UserError(f"{where}: a folder, but not a model folder (vqnat package writes one)")
    if not checkpoint.exists():
        raise UserError(f"{where}: no such file")
    if data_bin is not None and not data_bin.is_dir():
        raise UserError(f"{who}{data_bin}: no such folder (needed: what fairseq-preprocess --destdir wrote)")
    allow_fairseq_checkpoints()
    let_fairseq_read_folders()
    evaluate_literals_only()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # hydra's, about how fairseq reads old checkpoints
            state = checkpoint_utils.load_checkpoint_to_cpu(str(checkpoint))
            old = state.get("args")
            cfg = state["cfg"] if old is None else convert_namespace_to_omegaconf(old)
        weights = state["model"]
        trained = _Trained(checkpoint, cfg.task)
        data_bin = data_bin or trained.data
        task_name = _change_task(cfg.task, task_name, languages, data_bin, settings or {})
    except UserError as error:
        raise UserError(f"{who}{error}") from error
    except Exception as error:  # pickle, zip, torch: each has its own
        raise UserError(f"{where}: not a readable fairseq checkpoint ({_reason(error)})") from error
    try:
        task = task or tasks.setup_task(cfg.task, from_checkpoint=True)
    except Exception as error:
        reason = f"task {task_name} does not start with {data_bin} ({_reason(error)})"
        raise UserError(f"{where}: {reason}{hint}") from error
    check_sizes(where, weights, task)
    if compare_dictionaries:
        check_contents(
            where, trained.folders, trained.languages, data_bin, (cfg.task.source_lang, cfg.task.target_lang)
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            [model], _, task = checkpoint_utils.load_model_ensemble_and_task([str(checkpoint)], task=task, state=state)
    except UserError as error:
        raise UserError(f"{where}: {error}") from error
    except Exception as error:
        raise UserError(f"{where}: cannot be loaded ({_reason(error)}){hint}") from error
    arch = getattr(cfg.model, "arch", None) or getattr(cfg.model, "_name", type(model).__name__)
    return LoadedModel(task, task_name, model, str(arch), data_bin)


class _Trained:
    """What a checkpoint remembers of the data that it was trained with; it holds no dictionary itself."""

    def __init__(self, checkpoint: Path, task: Any) -> None:
        beside = data_folder(checkpoint)
        data = getattr(task, "data", None)
        self.languages: Languages = (getattr(task, "source_lang", None), getattr(task, "target_lang", None))
        # Published checkpoints come with their dictionaries beside them.
        self.folders = [Path(str(data).split(":")[0]), beside] if data else [beside]
        self.data = beside if any(beside.glob("dict.*.txt")) else self.folders[0]


def _change_task(task: Any, name: str | None, languages: Languages, data_bin: Path, settings: Mapping[str, Any]) -> str:
    # Tasks with a dataclass have a DictConfig with _name; older ones a Namespace with task.
    name_key = "task" if isinstance(task, Namespace) else "_name"
    with nullcontext() if isinstance(task, Namespace) else open_dict(task):
        task.data = str(data_bin)
        for key, language in zip(("source_lang", "target_lang"), languages, strict=True):
            if language is not None:  # not every task has languages
                setattr(task, key, language)
        for key, value in settings.items():
            if key in task:
                setattr(task, key, value)
        setattr(task, name_key, name or getattr(task, name_key))
        return getattr(task, name_key)


def _reason(error: Exception) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text[:300]}" if text else type(error).__name__
