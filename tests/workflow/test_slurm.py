"""tests/workflow/slurm.sh, where Slurm is installed."""

import subprocess
from pathlib import Path

import pytest

SKIPPED = 77


@pytest.mark.slow
def test_on_slurm(tmp_path):
    script = Path(__file__).with_name("slurm.sh")
    done = subprocess.run([script, tmp_path / "slurm"], capture_output=True, text=True)
    if done.returncode == SKIPPED:
        pytest.skip((done.stdout + done.stderr).strip().splitlines()[-1])
    assert done.returncode == 0, f"{done.stdout[-3000:]}\n{done.stderr[-6000:]}"
    assert "gave the same translations and scores" in done.stdout
