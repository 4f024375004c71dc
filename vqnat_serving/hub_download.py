"""Model folders by their names on the Hugging Face Hub, through ``huggingface_hub`` and its cache."""

import re
from collections.abc import Sequence
from pathlib import Path

from vqnat_serving.errors import UserError
from vqnat_serving.model_folder import CONFIG, is_model_folder

NAME = re.compile(r"[\w.-]+/[\w.-]+")  # org/name
FILES = (".pt", ".safetensors", ".onnx", ".json")  # endings of files, never of a model's name


def local_folder(model: str | Path, revision: str | None = None, files: Sequence[str] | None = None) -> Path:
    """The path of a model: itself if it is one on this machine, else the cached copy of a model on the Hub.

    A path that exists is never looked up on the Hub, and neither is one whose first folder exists or that ends as a
    file does: ``runs/best.pt`` is a missing file.

    Args:
        model: a path, or ``org/name``.
        revision: branch, tag or commit on the Hub; None: the main branch.
        files: patterns of the files that are needed; None: all.

    Returns:
        A path, which exists if the model came from the Hub.

    Raises:
        UserError: ``huggingface_hub`` is missing, the Hub cannot be reached and the cache does not have the model, or
            the Hub has no such model or revision, or it is no model folder, whose ``config.json`` holds the checksums
            of all files; ``revision`` with a path.
    """
    path = Path(model)
    if path.exists() or not _is_name(model):
        if revision is not None:
            raise UserError(
                f"revision {revision!r}: {model} is a path; only models on the Hub (org/name) have revisions"
            )
        return path
    try:
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import (
            GatedRepoError,
            LocalEntryNotFoundError,
            RepositoryNotFoundError,
            RevisionNotFoundError,
        )
    except ImportError as error:
        raise UserError(
            f"{model}: no such folder; to fetch it from the Hugging Face Hub: pip install 'vqnat[hub]'"
        ) from error
    where = f"{model}{'' if revision is None else f' (revision {revision})'}"
    try:
        found = Path(
            snapshot_download(str(model), revision=revision, allow_patterns=None if files is None else [*files])
        )
    except RevisionNotFoundError as error:
        raise UserError(f"{where}: no such revision on the Hugging Face Hub") from error
    except (GatedRepoError, RepositoryNotFoundError) as error:
        raise UserError(
            f"{where}: no such folder, and no such model on the Hugging Face Hub (a private one needs `hf auth login`)"
        ) from error
    except LocalEntryNotFoundError as error:
        raise UserError(
            f"{where}: no such folder, not in the cache of the Hugging Face Hub, and the Hub cannot be reached: give "
            "the path of a model folder, or try again with a network"
        ) from error
    except Exception as error:  # what the HTTP library, the disk and the Hub say
        reason = " ".join(str(error).split())[:200]
        raise UserError(
            f"{where}: cannot be fetched from the Hugging Face Hub ({type(error).__name__}: {reason})"
        ) from error
    if not is_model_folder(found):  # what came over the network is used only as far as checksums cover it
        raise UserError(f"{where}: refused: no {CONFIG} of vqnat with checksums (vqnat package writes one)")
    return found


def _is_name(model: str | Path) -> bool:
    if isinstance(model, Path) or not NAME.fullmatch(model) or model.startswith("."):
        return False
    first = Path(model).parts[0]
    return not Path(first).exists() and not model.endswith(FILES)
