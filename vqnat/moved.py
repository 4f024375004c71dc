"""Module paths and names of version 0.1 that still work, with a warning, until 0.3."""

import importlib
import sys
import warnings
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

# Old module -> where its names are now.
MODULES: dict[str, tuple[str, ...]] = {
    "vqnat.argmax": ("vqnat.kernels.argmax",),
}

# Old name -> new name, in any of these modules.
NAMES: dict[str, str] = {}


def install_old_names() -> None:
    """Let the old modules be imported; calling it twice is harmless."""
    if not any(isinstance(finder, _OldModules) for finder in sys.meta_path):
        sys.meta_path.append(_OldModules())  # last: asked only for what does not exist


class _OldModules(MetaPathFinder, Loader):
    """Finds an old module and fills it with a look-up in the new ones."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        return ModuleSpec(fullname, self) if fullname in MODULES else None

    def create_module(self, spec: ModuleSpec) -> None:
        return None  # an empty one

    def exec_module(self, module: ModuleType) -> None:
        old, new = module.__name__, MODULES[module.__name__]
        warnings.warn(f"{old} is now {' and '.join(new)}", DeprecationWarning, stacklevel=2)

        def look_up(name: str) -> object:
            if not name.startswith("__"):
                wanted = NAMES.get(name, name)
                for place in map(importlib.import_module, new):
                    if hasattr(place, wanted):
                        return getattr(place, wanted)
            raise AttributeError(f"module {old!r} has no attribute {name!r}")

        module.__getattr__ = look_up  # type: ignore[method-assign]
