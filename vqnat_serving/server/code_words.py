"""``code_words.json``: the words that each code most often writes."""

import json
from pathlib import Path
from typing import Any

from vqnat_serving.errors import UserError

NAME = "code_words.json"


def read_code_words(folder: Path) -> dict[int, list[str]]:
    """Code -> words, most frequent first; nothing where the model folder has no such file.

    Raises:
        UserError: the file is something else.
    """
    path = folder / NAME
    if not path.is_file():
        return {}
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        codes = values.get("codes", values)
        return {int(code): [_word(one) for one in words] for code, words in codes.items()}
    except (OSError, ValueError, TypeError, AttributeError, KeyError, IndexError) as error:
        raise UserError(f"{path}: not the words of codes ({type(error).__name__})") from error


def _word(entry: Any) -> str:
    """A word, alone or first in a pair with its count."""
    return str(entry if isinstance(entry, str) else entry[0])
