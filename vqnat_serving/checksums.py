"""Checksums of files, and of JSON objects that hold their own."""

import hashlib
import json
from pathlib import Path
from typing import Any

SEAL = "checksum"  # the entry of an object with the SHA-256 of all others


def sha256(path: Path) -> str:
    """SHA-256 of a file in hexadecimal, read in pieces. Raises OSError."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sealed(values: dict[str, Any]) -> dict[str, Any]:
    """The object with an entry more, its checksum; spaces and the order of entries in a file do not count."""
    return {**values, SEAL: _digest(values)}


def unsealed(values: dict[str, Any]) -> dict[str, Any]:
    """The object without its checksum, which is compared; one without a checksum passes, as older files have none.

    Raises:
        ValueError: the object was changed.
    """
    rest = _without(values, SEAL)
    if SEAL in values and values[SEAL] != _digest(rest):
        raise ValueError("damaged: its checksum is another")
    if SEAL not in values and any(_is_digest(value, _without(values, name)) for name, value in values.items()):
        raise ValueError("damaged: its checksum has another name")
    return rest


def _without(values: dict[str, Any], left_out: str) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name != left_out}


def _is_digest(value: Any, rest: dict[str, Any]) -> bool:
    return isinstance(value, str) and len(value) == hashlib.sha256().digest_size * 2 and value == _digest(rest)


def _digest(values: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()
