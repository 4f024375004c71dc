"""JSON that somebody else may have written: whole, an object, and of the types that its reader expects."""

import dataclasses
import json
import math
import types
import typing
from pathlib import Path
from typing import Any

from vqnat_serving.errors import UserError

MOST = 1 << 28  # bytes; the largest file that we write has a few million


def read_object(path: Path, what: str, most: int = MOST) -> dict[str, Any]:
    """The object in a JSON file.

    Args:
        path: the file.
        what: it should be, for the error: ``the description of a model``.
        most: bytes that it may have.

    Raises:
        UserError: it cannot be read, is too large, not UTF-8, not JSON, nested too deeply, or no object.
    """
    try:
        if (size := path.stat().st_size) > most:
            raise UserError(f"{path}: not {what}: {size} bytes, at most {most} are read")
        found = json.loads(path.read_bytes().decode("utf-8"), parse_constant=_refuse_constant)
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror or error})") from error
    except (ValueError, RecursionError) as error:
        if isinstance(error, UserError):
            raise
        raise UserError(f"{path}: not {what} ({type(error).__name__})") from error
    if not isinstance(found, dict):
        raise UserError(f"{path}: not {what}: needed an object, found {type(found).__name__}")
    return found


def _refuse_constant(name: str) -> float:
    raise ValueError(name)  # NaN and Infinity are Python's, not JSON's


def check_types(values: typing.Mapping[str, Any], kind: type) -> None:
    """Check parsed JSON against the annotations of a dataclass, whose field names are its keys.

    Raises:
        ValueError: an unknown or missing key, or a value of another type; ``name: VALUE is no TYPE``.
    """
    fields = {field.name: field for field in dataclasses.fields(kind)}
    hints = typing.get_type_hints(kind)
    for name in values:
        if name not in fields:
            raise ValueError(f"unknown key {name!r}"[:200])
    for name, field in fields.items():
        if name in values:
            if not _fits(values[name], hints[name]):
                raise ValueError(f"{name}: {values[name]!r}"[:120] + f" is no {_named(hints[name])}")
        elif field.default is field.default_factory is dataclasses.MISSING:
            raise ValueError(f"{name}: missing")


def _fits(value: Any, hint: Any) -> bool:
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if hint is Any:
        return True
    if origin is types.UnionType:
        return any(_fits(value, one) for one in inner)
    if origin is dict:
        return isinstance(value, dict) and all(_fits(k, inner[0]) and _fits(v, inner[1]) for k, v in value.items())
    if origin is tuple:
        if not isinstance(value, list | tuple):
            return False
        if inner[-1] is Ellipsis:
            return all(_fits(one, inner[0]) for one in value)
        return len(value) == len(inner) and all(map(_fits, value, inner))
    if hint is float:
        return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63
    return value is None if hint is types.NoneType else isinstance(value, hint)


def _named(hint: Any) -> str:
    return getattr(hint, "__name__", "") if typing.get_origin(hint) is None else str(hint)
