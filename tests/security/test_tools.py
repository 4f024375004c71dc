"""What other people's checkers say of the sources."""

import sys

import bitext
import pytest


@pytest.mark.slow
def test_bandit_finds_nothing():
    """Which of its tests do not apply, and why: ``[tool.bandit]`` in pyproject.toml, and beside each ``nosec``."""
    pytest.importorskip("bandit")
    folders = ("vqnat", "vqnat_serving", "scripts", "data-prep")
    done = bitext.run(sys.executable, "-m", "bandit", "-q", "-c", "pyproject.toml", "-r", *folders, check=False)
    assert done.returncode == 0, done.stdout
