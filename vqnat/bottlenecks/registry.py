"""Names of the bottlenecks and their options.

Each bottleneck is registered with a config dataclass. The union of all their fields becomes part of the model's
config, so every option works from the command line and from YAML. Two bottlenecks may share a field (they then
inherit it from one base), but never define it differently.
"""

import dataclasses
from collections.abc import Callable

from torch import nn

from vqnat.errors import UserError

# Comparisons change --bottleneck and leave this one where it is; it says how often to draw, if at all.
_TOLERATED = {"num_samples"}

_BOTTLENECKS: dict[str, tuple[type[nn.Module], type]] = {}


def register_bottleneck(name: str, config: type) -> Callable[[type[nn.Module]], type[nn.Module]]:
    """Class decorator: make the class available as ``--bottleneck NAME`` with the fields of ``config``."""

    def register(cls: type[nn.Module]) -> type[nn.Module]:
        if name in _BOTTLENECKS:
            raise ValueError(f"bottleneck {name!r} is registered twice: {_BOTTLENECKS[name][0]} and {cls}")
        _BOTTLENECKS[name] = (cls, config)
        return cls

    return register


def bottleneck_names() -> list[str]:
    """Registered names, sorted."""
    return sorted(_BOTTLENECKS)


def bottleneck_options() -> list[dataclasses.Field]:
    """The union of the options of all bottlenecks, in order of registration.

    Raises:
        TypeError: two bottlenecks define one option with different defaults or types.
    """
    options: dict[str, dataclasses.Field] = {}
    for name, (_, config) in _BOTTLENECKS.items():
        for option in dataclasses.fields(config):
            seen = options.setdefault(option.name, option)
            if (seen.type, seen.default) != (option.type, option.default):
                raise TypeError(f"bottleneck {name!r} redefines the option {option.name!r}")
    return list(options.values())


def bottleneck_fields(name: str) -> set[str]:
    """Names of the options of one bottleneck; empty for an unknown one."""
    return {option.name for option in dataclasses.fields(_BOTTLENECKS[name][1])} if name in _BOTTLENECKS else set()


def build_bottleneck(name: str, options: object, dim: int) -> nn.Module:
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
    cls, config = _BOTTLENECKS[name]
    refuse_unused(f"--bottleneck {name}", config, options, {n: c for n, (_, c) in _BOTTLENECKS.items()})
    values = {f.name: getattr(options, f.name) for f in dataclasses.fields(config) if hasattr(options, f.name)}
    return cls(config(**values), dim)


def refuse_unused(choice: str, config: type, options: object, configs: dict[str, type]) -> None:
    """Refuse an option that was given (differs from its default) and that the choice does not have.

    Args:
        choice: what was chosen, as the user typed it.
        config: its config.
        options: the options as attributes.
        configs: the configs of all choices, by name.

    Raises:
        UserError: names the option, its value, the choice, and the choices that have the option.
    """
    own = {option.name for option in dataclasses.fields(config)} | _TOLERATED
    for option in (option for other in configs.values() for option in dataclasses.fields(other)):
        value = getattr(options, option.name, option.default)
        if option.name not in own and value != option.default:
            legal = [n for n, c in configs.items() if option.name in {o.name for o in dataclasses.fields(c)}]
            raise UserError(
                f"--{option.name.replace('_', '-')} {value} means nothing with {choice}; "
                f"it works with: {', '.join(sorted(legal))}"
            )
