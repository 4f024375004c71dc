"""Whether the teacher speaks the dictionaries of the bitext."""

from pathlib import Path
from typing import Any

from vqnat.distillation.bitext import Bitext
from vqnat.errors import UserError


def check_sizes(teacher: Path, weights: dict[str, Any], bitext: Bitext) -> None:
    """Raise UserError when an embedding table has not one row per dictionary entry."""
    for side, language in (("encoder", bitext.source), ("decoder", bitext.target)):
        table = weights.get(f"{side}.embed_tokens.weight")
        size = len(bitext.dictionary(language))
        if table is not None and len(table) != size:
            raise UserError(
                f"--path {teacher}: the {side} embeds {len(table)} symbols, but "
                f"{bitext.dictionary_file(language)} has {size} (4 special ones included): "
                "binarise the data with the teacher's dictionaries"
            )


def check_contents(teacher: Path, task: Any, bitext: Bitext, option: str = "--path") -> bool:
    """Compare with the teacher's own dictionaries, when they can still be found.

    A checkpoint holds no dictionary, but it names the data folder it was trained on, and published ones
    come with the dictionaries beside them.

    Args:
        teacher: the checkpoint's file.
        task: the task's settings as saved in the checkpoint.
        bitext: the data to distil.
        option: that named the checkpoint.

    Returns:
        Whether dictionaries were found for both sides.

    Raises:
        UserError: a dictionary differs from that of the bitext.
    """
    folders = [Path(str(getattr(task, "data", None) or teacher.parent).split(":")[0]), teacher.parent]
    found = 0
    for key, language in (("source_lang", bitext.source), ("target_lang", bitext.target)):
        name = f"dict.{getattr(task, key, None) or language}.txt"
        theirs = next((folder / name for folder in folders if (folder / name).is_file()), None)
        if theirs is not None:
            _compare(f"{option} {teacher}", theirs, bitext.dictionary_file(language))
            found += 1
    return found == 2


def _compare(who: str, theirs: Path, ours: Path) -> None:
    symbols = [
        [line.rsplit(" ", 1)[0] for line in path.read_text(encoding="utf-8").splitlines()] for path in (theirs, ours)
    ]
    for number, (a, b) in enumerate(zip(*symbols, strict=False), 1):
        if a != b:
            raise UserError(
                f"{who}: line {number} of its dictionary {theirs} is {a!r}, but {b!r} in {ours}: "
                "binarise the data with that one"
            )
    if len(symbols[0]) != len(symbols[1]):
        raise UserError(
            f"{who}: its dictionary {theirs} has {len(symbols[0])} lines, {ours} has "
            f"{len(symbols[1])}: binarise the data with that one"
        )
