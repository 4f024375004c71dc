"""A process that ends while fairseq still reads ahead ends with the status it should."""

import subprocess
import sys

import pytest
from bitext import REPO

READ_AHEAD = """
import time
import torch
import vqnat.plugin
from fairseq.data.iterators import BufferedIterator

class Batches:
    def __len__(self):
        return 10**9

    def __iter__(self):
        parts = [torch.ones(50, dtype=torch.long) for _ in range(300)]
        while True:
            yield [torch.cat(parts) for _ in range(50)]

ahead = BufferedIterator({size}, Batches())
next(ahead)
time.sleep(0.2)
"""


def ends(size: int, last: str = "") -> subprocess.CompletedProcess:
    program = READ_AHEAD.format(size=size) + last
    return subprocess.run([sys.executable, "-c", program], cwd=REPO, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("size", [2, 100_000])  # the reader waits for room; it is inside torch
def test_reader_ends_before_python(size):
    done = ends(size)
    assert (done.returncode, done.stderr) == (0, "")


def test_failure_keeps_its_status():
    done = ends(100_000, "raise SystemExit(3)")
    assert (done.returncode, done.stderr) == (3, "")
