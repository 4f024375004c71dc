"""Model folders wherever fairseq or one of our programs takes a checkpoint.

A folder's weights and options become the dictionary that a checkpoint of fairseq-train would hold. fairseq reads all
checkpoints through one function; with :func:`let_fairseq_read_folders` it reads folders too, so that ``--path DIR``
works in ``fairseq-generate`` as in everything else that loads a checkpoint. Nothing is unpickled.
"""

import os
from argparse import Namespace
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

from fairseq import checkpoint_utils
from fairseq.dataclass.configs import FairseqConfig
from fairseq.dataclass.utils import merge_with_parent, overwrite_args_by_name
from fairseq.tasks import TASK_DATACLASS_REGISTRY
from omegaconf import OmegaConf

from vqnat.checkpoints.fairseq_files import check_archive
from vqnat.checkpoints.folder_weights import read_weights
from vqnat.errors import UserError
from vqnat_serving.model_folder import WEIGHTS, ModelFolder, is_model_folder

UNSAFE = "TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD"  # turns torch's check off where, as in fairseq, nobody asks for it


def folder_state(path: Path) -> dict[str, Any]:
    """What a checkpoint of the model in a folder would hold, but for the optimizer's state.

    Raises:
        UserError: the folder is damaged, of a newer version, or was made for the runner and has no weights.
    """
    folder = ModelFolder.read(path)
    if not folder.has(WEIGHTS):
        raise UserError(f"{path}: has no {WEIGHTS}: only the ONNX runner can use it (vqnat translate, vqnat serve)")
    # Our models have options with a dataclass, which fairseq names by _name; fairseq's Transformer has a namespace.
    model: Any = folder.options if "_name" in folder.options else Namespace(**folder.options)
    cfg = {
        "_name": None,
        "task": _task_options(folder),
        "model": model,
        "criterion": folder.criterion,
    }
    history = {"criterion_name": "", "optimizer_name": "", "lr_scheduler_state": {}}
    return {
        "args": None,
        "cfg": cfg,
        "model": read_weights(folder.file(WEIGHTS)),
        "optimizer_history": [{**history, "num_updates": int(folder.training.get("updates") or 0)}],
        "extra_state": {},
        "last_optimizer_state": None,
    }


def _task_options(folder: ModelFolder) -> dict[str, Any]:
    """Every option of the folder's task; those that the folder does not have are fairseq's defaults."""
    languages = {"source_lang": folder.source_lang, "target_lang": folder.target_lang}
    given = {**folder.task, **languages, "data": str(folder.path)}
    options = TASK_DATACLASS_REGISTRY.get(folder.task.get("_name"))
    if options is None:  # a plug-in was not loaded; whoever builds the task says so
        return given
    # Some defaults refer to other groups.
    groups = OmegaConf.to_container(OmegaConf.structured(FairseqConfig), resolve=False)
    everything = OmegaConf.create({**groups, "task": given}, flags={"allow_objects": True})
    return OmegaConf.to_container(merge_with_parent(options(), everything.task), resolve=True)


def let_fairseq_read_folders() -> None:
    """Make fairseq's ``load_checkpoint_to_cpu`` read model folders; calling it twice is harmless."""
    original: Callable[..., Any] = checkpoint_utils.load_checkpoint_to_cpu
    if getattr(original, "reads_folders", False):
        return

    @wraps(original)
    def load_checkpoint_to_cpu(path: str, arg_overrides: Any = None, load_on_all_ranks: bool = False) -> Any:
        if os.environ.get(UNSAFE):
            raise UserError(f"{UNSAFE} is set: torch would run the code in {path}; unset it")
        if not is_model_folder(path):
            if Path(path).is_file():  # else a place that only fairseq's path manager knows, or none
                check_archive(Path(path))
            return original(path, arg_overrides, load_on_all_ranks)
        state = folder_state(Path(path))
        state["cfg"] = OmegaConf.create(state["cfg"], flags={"allow_objects": True})
        if arg_overrides:
            overwrite_args_by_name(state["cfg"], arg_overrides)
        return state

    load_checkpoint_to_cpu.reads_folders = True  # type: ignore[attr-defined]
    checkpoint_utils.load_checkpoint_to_cpu = load_checkpoint_to_cpu


def data_folder(checkpoint: Path) -> Path:
    """Where what belongs to a checkpoint lies: the folder that the file is in, or the model folder itself."""
    checkpoint = checkpoint.absolute()
    return checkpoint if checkpoint.is_dir() else checkpoint.parent
