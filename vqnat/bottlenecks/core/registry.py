"""Names of the bottlenecks and their options.

Each bottleneck is registered with a config dataclass. The union of all their fields becomes part of the model's
config, so every option works from the command line and from YAML. Two bottlenecks may share an option (both configs
then contain the same group, or call the same function), but never define it differently.
"""

import dataclasses
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, TypeVar

from vqnat.bottlenecks.core.bottleneck import Bottleneck
from vqnat.bottlenecks.core.options import check
from vqnat.errors import UserError

B = TypeVar("B", bound=Bottleneck)


class Registered(NamedTuple):
    """A bottleneck and the dataclass of its options."""

    cls: type[Bottleneck]
    config: type


_BOTTLENECKS: dict[str, Registered] = {}


def register_bottleneck(name: str, config: type) -> Callable[[type[B]], type[B]]:
    """Class decorator: make the class available as ``--bottleneck NAME`` with the fields of ``config``."""

    def register(cls: type[B]) -> type[B]:
        if name in _BOTTLENECKS:
            raise ValueError(f"bottleneck {name!r} is registered twice: {_BOTTLENECKS[name].cls} and {cls}")
        _BOTTLENECKS[name] = Registered(cls, config)
        return cls

    return register


def bottleneck_names() -> list[str]:
    """Registered names, sorted."""
    return sorted(_BOTTLENECKS)


def bottleneck_fields(name: str) -> set[str]:
    """Names of the options of one bottleneck; empty for an unknown one."""
    return {option.name for option in dataclasses.fields(_BOTTLENECKS[name].config)} if name in _BOTTLENECKS else set()


def bottleneck_options() -> list[dataclasses.Field[Any]]:
    """The union of the options of all bottlenecks, in order of registration.

    The help text of an option that each bottleneck has its own default for lists these defaults.

    Raises:
        TypeError: two bottlenecks define one option with different defaults or types.
    """
    options: dict[str, dataclasses.Field[Any]] = {}
    for name, (_, config) in _BOTTLENECKS.items():
        for option in dataclasses.fields(config):
            seen = options.setdefault(option.name, option)
            if (seen.type, seen.default) != (option.type, option.default):
                raise TypeError(f"bottleneck {name!r} redefines the option {option.name!r}")
    return [_with_own_defaults(option) for option in options.values()]


def _with_own_defaults(option: dataclasses.Field[Any]) -> dataclasses.Field[Any]:
    own = {name: _BOTTLENECKS[name].cls.own_defaults().get(option.name) for name in bottleneck_names()}
    words = [f"{name} {value:g}" for name, value in own.items() if value is not None]
    if not words:
        return option
    help = f"{option.metadata['help']}; default: {', '.join(words)}"
    found: dataclasses.Field[Any] = dataclasses.field(
        default=option.default, metadata={**option.metadata, "help": help}
    )
    found.name, found.type = option.name, option.type
    return found


def build_bottleneck(name: str, options: object, dim: int) -> Bottleneck:
    """Build a bottleneck for vectors of ``dim`` components.

    Args:
        name: a registered name.
        options: anything with the bottleneck's options as attributes (a dataclass, a Namespace, a DictConfig).
        dim: D, the number of components of an encoder vector.

    Raises:
        UserError: the name is unknown, an option is out of range or another bottleneck's; the message lists what is
            valid.
    """
    if name not in _BOTTLENECKS:
        raise UserError(f"--bottleneck {name!r} is unknown; choose from: {', '.join(bottleneck_names())}")
    cls, config_class = _BOTTLENECKS[name]
    refuse_unused(f"--bottleneck {name}", name, options, bottleneck_names())
    given = {f.name: getattr(options, f.name) for f in dataclasses.fields(config_class) if hasattr(options, f.name)}
    config = config_class(**given)
    check(config)
    build: Callable[[Any, int], Bottleneck] = cls
    return build(config, dim)


def refuse_unused(choice: str, name: str, options: object, names: Iterable[str]) -> None:
    """Refuse an option that was given (differs from its default) and that the chosen bottleneck does not have.

    Args:
        choice: the choice as the user typed it.
        name: the chosen bottleneck.
        options: the options as attributes.
        names: all bottlenecks that could have been chosen.

    Raises:
        UserError: names the option, its value, the choice, and the bottlenecks that have the option.
    """
    own = bottleneck_fields(name)
    for option in (option for other in names for option in dataclasses.fields(_BOTTLENECKS[other].config)):
        value = getattr(options, option.name, option.default)
        if option.name not in own and value != option.default and not option.metadata.get("tolerated"):
            legal = [other for other in names if option.name in bottleneck_fields(other)]
            raise UserError(
                f"--{option.name.replace('_', '-')} {value} means nothing with {choice}; "
                f"it works with: {', '.join(sorted(legal))}"
            )
