"""YAML as dataclasses; a mistake is one line that names the key, its value and the valid values.

By hand, as OmegaConf's structured configs give other errors (no valid keys, no ranges); a JSON schema is to replace it.
"""

import dataclasses
import types
import typing
from pathlib import Path
from typing import Any

import yaml

from vqnat.errors import UserError


def invalid(name: str, value: object, valid: str) -> UserError:
    """``name: value is not valid; must be ...``."""
    return UserError(f"{name or 'the file'}: {value!r} is not valid; must be {valid}")


def read_yaml(path: Path) -> Any:
    """The parsed file. Raises UserError."""
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"cannot be read ({error.strerror})") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UserError(f"not YAML: {' '.join(str(error).split())}") from None


def build(kind: type, value: Any, name: str = "") -> Any:
    """Parsed YAML as the dataclass ``kind``.

    Field types may be int, float, str, bool, dict, another dataclass, and lists or dictionaries of these. A
    field's metadata may hold ``minimum`` and ``choices``.

    Args:
        kind: the dataclass.
        value: the parsed YAML in its place.
        name: the keys that lead to it, for errors.
    """
    fields = {f.name: f for f in dataclasses.fields(kind)}
    if not isinstance(value, dict):
        raise invalid(name, value, f"a mapping with the keys {', '.join(fields)}")
    hints = typing.get_type_hints(kind)
    prefix = f"{name}." if name else ""
    for given in value:
        if given not in fields:
            raise UserError(f"{prefix}{given}: unknown key; valid keys: {', '.join(fields)}")
    for f in fields.values():
        if f.name not in value and f.default is f.default_factory is dataclasses.MISSING:
            raise UserError(f"{prefix}{f.name}: missing")
    return kind(**{key: _value(fields[key], hints[key], v, f"{prefix}{key}") for key, v in value.items()})


def _value(f: dataclasses.Field, hint: Any, value: Any, name: str) -> Any:
    if dataclasses.is_dataclass(hint):
        return build(hint, value, name)
    if isinstance(hint, types.GenericAlias):
        inner = hint.__args__[-1]
        if hint.__origin__ is dict:
            if not isinstance(value, dict):
                raise invalid(name, value, "a mapping")
            return {key: _value(f, inner, item, f"{name}.{key}") for key, item in value.items()}
        if not isinstance(value, list):
            raise invalid(name, value, "a list")
        return [_value(f, inner, item, f"{name}[{n}]") for n, item in enumerate(value)]
    if not isinstance(value, hint) or (hint is int and isinstance(value, bool)):
        words = {int: "a whole number", str: "text", bool: "true or false", dict: "a mapping"}
        raise invalid(name, value, words[hint])
    if value not in f.metadata.get("choices", [value]):
        raise invalid(name, value, f"one of {', '.join(f.metadata['choices'])}")
    if "minimum" in f.metadata and value < f.metadata["minimum"]:
        raise invalid(name, value, f"at least {f.metadata['minimum']}")
    return value
