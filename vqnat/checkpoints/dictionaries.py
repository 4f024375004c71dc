"""Whether a checkpoint and a data folder have the same dictionaries.

A checkpoint holds no dictionary: embedding i belongs to entry i of whatever dictionary is loaded with it.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from vqnat.errors import UserError

# Which embedding belongs to which side: fairseq's models, then ours.
_EMBEDDINGS = {
    "source": ("encoder.embed_tokens.weight", "encoder.embedding.weight"),
    "target": ("decoder.embed_tokens.weight", "output_proj.weight"),
}


def check_sizes(where: str, weights: Mapping[str, Any], task: Any) -> None:
    """Raise UserError if an embedding table does not have one row per entry of the task's dictionaries.

    Args:
        where: starts the error.
        weights: the ``model`` entry of the checkpoint.
        task: a fairseq task with its dictionaries.
    """
    for side, names in _EMBEDDINGS.items():
        size = len(getattr(task, f"{side}_dictionary"))
        for name in names:
            if name in weights and len(weights[name]) != size:
                raise UserError(
                    f"{where}: the model has {len(weights[name])} {side} symbols, the dictionary of the data {size} "
                    "(4 special ones included): binarize the data with the model's dictionaries"
                )


def check_contents(
    where: str,
    folders: Sequence[Path],
    trained: tuple[str | None, str | None],
    data_bin: Path,
    languages: tuple[str, str],
) -> None:
    """Raise UserError if a dictionary differs from the one that the model was trained with.

    A dictionary that can no longer be found is not compared.

    Args:
        where: starts the error.
        folders: where the dictionaries of the training may be.
        trained: source and target language of the training; None takes that of ``languages``.
        data_bin: the folder whose dictionaries the model is to use.
        languages: source and target language there.
    """
    for old, new in zip(trained, languages, strict=True):
        theirs = next((f for folder in folders if (f := folder / f"dict.{old or new}.txt").is_file()), None)
        if theirs is not None:
            _compare(where, theirs, data_bin / f"dict.{new}.txt")


def _compare(where: str, theirs: Path, ours: Path) -> None:
    symbols = [
        [line.rsplit(" ", 1)[0] for line in path.read_bytes().decode("utf-8", "replace").removesuffix("\n").split("\n")]
        for path in (theirs, ours)
    ]
    for number, (a, b) in enumerate(zip(*symbols, strict=False), 1):
        if a != b:
            raise UserError(
                f"{where}: line {number} of its dictionary {theirs} is {a!r}, but {b!r} in {ours}: "
                "binarize the data with that dictionary"
            )
    if len(symbols[0]) != len(symbols[1]):
        raise UserError(
            f"{where}: its dictionary {theirs} has {len(symbols[0])} lines, {ours} has {len(symbols[1])}: "
            "binarize the data with that dictionary"
        )
