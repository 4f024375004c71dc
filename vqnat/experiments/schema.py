"""YAML files checked by a JSON schema; a mistake is one line that names the key, its value and the valid values."""

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from vqnat.errors import UserError
from vqnat.records.yaml_files import read_yaml

T = TypeVar("T")
SCHEMAS = Path(__file__).resolve().parents[2] / "workflow" / "schemas"
TYPES = {
    "integer": "a whole number",
    "number": "a number",
    "string": "text",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping",
}


def invalid(name: str, value: object, valid: str) -> UserError:
    """``name: value is not valid; must be ...``."""
    return UserError(f"{name or 'the file'}: {value!r} is not valid; must be {valid}")


def typed(overrides: Mapping[str, Any]) -> dict[str, Any]:
    """Overrides as the schema wants them: ``--config full=true seeds=[1,2]`` of Snakemake gives text instead."""
    truth = {"true": True, "false": False}
    given = {key: truth.get(value, value) if isinstance(value, str) else value for key, value in overrides.items()}
    if isinstance(seeds := given.get("seeds"), list):
        given["seeds"] = [int(seed) if str(seed).isdecimal() else seed for seed in seeds]
    return given


def load_checked(path: Path, overrides: Mapping[str, Any] | None, configure: Callable[[Any], T]) -> T:
    """What ``configure`` makes of a YAML file.

    Args:
        path: the file.
        overrides: values of its keys that count instead.
        configure: from parsed YAML; raises UserError.

    Raises:
        UserError: a mistake; the message names the file.
    """
    try:
        content = read_yaml(path)
        if isinstance(content, dict):
            content = content | dict(overrides or {})
        return configure(content)
    except UserError as error:
        raise UserError(f"{path}: {error}") from None


def check(content: Any, schema: str) -> None:
    """Raise UserError for the first mistake in ``content``.

    Args:
        content: the parsed YAML.
        schema: name of a file in ``workflow/schemas``, without its ending.
    """
    errors = list(_validator(schema).iter_errors(content))
    if errors:  # a key that is unknown may be one that is missing
        raise _in_words(min(errors, key=lambda error: error.validator != "additionalProperties"))


@cache
def _validator(schema: str) -> Draft202012Validator:
    return Draft202012Validator(yaml.safe_load((SCHEMAS / f"{schema}.schema.yaml").read_text(encoding="utf-8")))


def _in_words(error: ValidationError) -> UserError:
    where = ""
    for step in error.absolute_path:
        where += f"[{step}]" if isinstance(step, int) else f".{step}"
    where, value, wanted = where.removeprefix("."), error.instance, error.validator_value
    known = ", ".join(error.schema.get("properties", ()))
    prefix = f"{where}." if where else ""
    if error.validator == "additionalProperties":
        unknown = next(key for key in value if key not in error.schema["properties"])
        return UserError(f"{prefix}{unknown}: unknown key; valid keys: {known}")
    if error.validator == "required":
        return UserError(f"{prefix}{next(key for key in wanted if key not in value)}: missing")
    if error.validator == "type":
        keys = f" with the keys {known}" if known else ""
        return invalid(where, value, f"{TYPES[wanted]}{keys}")
    if error.validator == "enum":
        return invalid(where, value, f"one of {', '.join(wanted)}")
    if error.validator in ("minimum", "exclusiveMinimum"):
        return invalid(where, value, f"{'at least' if error.validator == 'minimum' else 'more than'} {wanted}")
    if error.validator == "pattern":
        return invalid(where, value, "lower-case letters, digits and _")
    if error.validator == "minItems":
        return invalid(where, value, f"a list of at least {wanted}")
    if error.validator == "uniqueItems":
        return invalid(where, value, "a list without repetitions")
    return UserError(f"{where or 'the file'}: {error.message}")
