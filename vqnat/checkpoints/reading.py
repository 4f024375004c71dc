"""A checkpoint as the dictionary that it holds."""

import warnings
from pathlib import Path
from typing import Any

import torch

from vqnat.checkpoints.fairseq_files import check_archive
from vqnat.checkpoints.folder_loading import folder_state
from vqnat.checkpoints.safe_globals import allow_fairseq_checkpoints
from vqnat.errors import UserError
from vqnat_serving.model_folder import WEIGHTS, is_model_folder


def read_checkpoint(path: Path) -> dict[str, Any]:
    """The content of a checkpoint, tensors on the CPU; nothing but tensors and plain containers is unpickled.

    A model folder gives what a checkpoint of its model would hold.

    Raises:
        UserError: the file is missing or cannot be read.
    """
    if is_model_folder(path):
        return folder_state(path)
    if not path.is_file():
        raise UserError(f"{path}: no such checkpoint")
    allow_fairseq_checkpoints()
    try:
        check_archive(path)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # torch's, about pickles that it refuses next
            return torch.load(path, map_location="cpu", weights_only=True)
    except UserError:
        raise
    except Exception as error:  # pickle, zip, torch: each has its own
        raise UserError(f"{path}: not a readable checkpoint ({type(error).__name__})") from error


def checkpoint_file(path: Path) -> Path:
    """The file that tells a checkpoint from others: itself, or the weights of a model folder."""
    return path / WEIGHTS if is_model_folder(path) else path
