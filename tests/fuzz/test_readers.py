"""A small fixed part of scripts/fuzz.sh: every reader refuses its input by one line, or accepts it."""

import json
import logging

import pytest
from hypothesis import HealthCheck, given, settings

from fuzz import READERS
from fuzz.mutations import mutated
from vqnat.errors import UserError

INPUTS = 60


@pytest.fixture
def undisturbed():
    """Readers that change this process are put back."""
    from vqnat.image.datasets import raw_images

    rows, level = raw_images.CIFAR_ROWS, logging.root.manager.disable
    yield
    raw_images.CIFAR_ROWS = rows
    logging.disable(level)


@pytest.mark.parametrize("name", READERS)
def test_a_reader_refuses_or_accepts(name, tmp_path, undisturbed):
    reader = READERS[name]
    read = reader.make(tmp_path)

    def one(value: object) -> None:
        try:
            read(value)
        except UserError as error:
            assert str(error)

    if reader.strategy is None:
        for content in mutated(reader.seeds(), INPUTS):
            one(content[: reader.longest])
        return
    slow = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
    options = settings(
        max_examples=INPUTS // 2, derandomize=True, database=None, deadline=None, suppress_health_check=slow
    )
    options(given(reader.strategy())(one))()


def accepted(name: str, value: object, folder) -> None:
    """A reader takes a valid input."""
    READERS[name].make(folder)(value)


def test_valid_inputs_are_accepted(tmp_path, undisturbed):
    """Or the others would prove nothing. Some seeds are bad on purpose; the first never is."""
    for name, reader in READERS.items():
        if reader.strategy is None and name not in ("manifest, bytes", "checkpoint's pickle"):
            folder = tmp_path / "".join(filter(str.isalnum, name))
            folder.mkdir()
            if name != "raw bitext":  # whose halves must be as long as each other
                accepted(name, reader.seeds()[0], folder)
    accepted("raw bitext", b"a\n|b\n", tmp_path)
    accepted("results", json.loads('{"sacrebleu": 30, "data": "x"}'), tmp_path)
