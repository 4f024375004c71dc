"""Module paths and names of version 0.1 still work, and warn."""

import importlib
import sys

import pytest

from vqnat.moved import MODULES, NAMES


@pytest.mark.parametrize("old", sorted(MODULES))
def test_an_old_module_warns_and_hands_out_what_is_in_the_new_ones(old):
    sys.modules.pop(old, None)
    with pytest.warns(DeprecationWarning, match=f"{old} is now {MODULES[old][0]}"):
        module = importlib.import_module(old)
    for place in map(importlib.import_module, MODULES[old]):
        own = [name for name, value in vars(place).items() if getattr(value, "__module__", None) == place.__name__]
        for name in own:
            assert hasattr(module, name)


@pytest.mark.parametrize("old, new", sorted(NAMES.items()))
def test_an_old_name_is_the_new_one(old, new):
    module, _, name = old.rpartition(".")
    homes = [module] if module else MODULES
    found = [home for home in homes if hasattr(importlib.import_module(home), name)]
    assert found, f"{old} is in none of the old modules"
    assert any(hasattr(importlib.import_module(place), new) for home in found for place in MODULES[home])


def test_what_never_existed_is_an_import_error():
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("vqnat.no_such_module")
    with pytest.raises(ImportError, match="no_such_name"):
        from vqnat.results import no_such_name  # noqa: F401
