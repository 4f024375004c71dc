"""YAML files that somebody else may have written."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from vqnat.errors import UserError

MOST = 1 << 22  # bytes
MOST_VALUES = 200_000  # after every alias stands for what it names


def read_yaml(path: Path) -> Any:
    """The parsed file: plain values only, whatever tags it has.

    An alias repeats what an anchor names, so that a few lines can stand for more values than fit any memory. Those that
    a program would then walk through are counted first.

    Raises:
        UserError: it cannot be read, is too large, not UTF-8, not YAML, or holds too many values. The message goes on
            after the file's name.
    """
    try:
        if path.stat().st_size > MOST:
            raise UserError(f"too large: {path.stat().st_size} bytes, at most {MOST} are read")
        found = yaml.safe_load(path.read_bytes().decode("utf-8"))
        _count(found, {})
    except OSError as error:
        raise UserError(f"cannot be read ({error.strerror or error})") from None
    except RecursionError:
        raise UserError("not YAML: nested too deeply") from None
    except (yaml.YAMLError, ValueError, TypeError, OverflowError) as error:
        if isinstance(error, UserError):
            raise
        raise UserError(f"not YAML: {' '.join(str(error).split())[:300]}") from None
    return found


def _count(value: Any, known: dict[int, int]) -> int:
    """How many values there are, each as often as it is named; an anchor within itself would be without end."""
    if not isinstance(value, dict | list | set | tuple):
        return 1
    if id(value) in known:
        if not known[id(value)]:
            raise UserError("not YAML that can be used: a value holds itself")
        return known[id(value)]
    known[id(value)] = 0
    inner: Iterable[Any] = (*value, *value.values()) if isinstance(value, dict) else value
    total = 1 + sum(_count(one, known) for one in inner)
    if total > MOST_VALUES:
        raise UserError(f"more than {MOST_VALUES} values, its aliases written out")
    known[id(value)] = total
    return total
