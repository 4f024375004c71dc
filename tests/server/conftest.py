"""A model that has learned digits, exported, and a server that serves it."""

import pytest
from exporting import made_for_servers
from serving_process import Served


@pytest.fixture(scope="session")
def model(digits, latent_checkpoint, tmp_path_factory):
    """nc = 1, fp32."""
    return made_for_servers(latent_checkpoint, digits, tmp_path_factory)


@pytest.fixture(scope="session")
def server(model):
    """One server for all tests that change nothing and need the usual limits."""
    with Served(model.folder) as server:
        yield server
